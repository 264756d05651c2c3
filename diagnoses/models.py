from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from avicenna.data_keys import new_secret
from avicenna.encryption import EncryptedJSONField, EncryptedTextField
from avicenna.identifiers import new_id
from diagnoses.mizaj import Mizaj
from diagnoses.querysets import (
    BrokenGlassQuerySet,
    CatalogueQuerySet,
    ContraindicationQuerySet,
    DiagnosisQuerySet,
    PatientQuerySet,
    RecommendationQuerySet,
)

ONE_TO_FIVE = [MinValueValidator(1), MaxValueValidator(5)]


class CatalogueTerm(models.Model):
    """A word of the catalogue, in both languages."""

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name_en = models.CharField(_("English name"), max_length=200)
    name_fa = models.CharField(_("Persian name"), max_length=200)
    is_active = models.BooleanField(_("active"), default=True)

    objects: ClassVar[CatalogueQuerySet] = CatalogueQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the caller's language."""
        return self.name_fa if (get_language() or "en").startswith("fa") else self.name_en


class Condition(CatalogueTerm):
    category = models.CharField(_("category"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        ordering = ["slug"]


class Remedy(CatalogueTerm):
    class Kind(models.TextChoices):
        HERBAL = "herbal", _("herbal")
        DIETARY = "dietary", _("dietary")
        LIFESTYLE = "lifestyle", _("lifestyle")
        PHYSICAL = "physical", _("physical")
        COMPOUND = "compound", _("compound")
        DRUG = "drug", _("drug")

    class Confidence(models.TextChoices):
        HIGH = "high", _("a degree is stated")
        MEDIUM = "medium", _("no degree, or disputed")
        LOW = "low", _("no temperament is claimed")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    scientific_name = models.CharField(_("scientific name"), max_length=200, blank=True)
    warmth = models.SmallIntegerField(
        _("warmth"), null=True, blank=True, help_text=_("-4 cold to +4 warm, in the Canon's four degrees")
    )
    moisture = models.SmallIntegerField(
        _("moisture"), null=True, blank=True, help_text=_("-4 dry to +4 wet, in the Canon's four degrees")
    )
    source = models.CharField(_("source"), max_length=300, blank=True)
    confidence = models.CharField(_("confidence"), max_length=6, choices=Confidence, default=Confidence.LOW)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("remedy")
        verbose_name_plural = _("remedies")
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=models.Q(warmth__range=(-4, 4)), name="remedy_warmth_range"),
            models.CheckConstraint(condition=models.Q(moisture__range=(-4, 4)), name="remedy_moisture_range"),
        ]


class SideEffect(CatalogueTerm):
    body_system = models.CharField(_("body system"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("side effect")
        verbose_name_plural = _("side effects")
        ordering = ["slug"]


class PatientKey(models.Model):
    """Seals what is known of one patient. Its row stays when the secret is thrown away, and says that it was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    secret = EncryptedTextField(null=True, default=new_secret)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("key of a patient")
        verbose_name_plural = _("keys of patients")

    def __str__(self) -> str:
        return f"{self.id}"


class Patient(models.Model):
    encryption_key: ClassVar[str] = "key"

    class Sex(models.TextChoices):
        FEMALE = "female", _("female")
        MALE = "male", _("male")

    class Source(models.TextChoices):
        CLINIC = "clinic", _("clinic")
        DEMO = "demo", _("demonstration")
        IMPORT = "import", _("import")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="patient"
    )
    # No constraint: backups hold the patients without their keys, which stand in a file of their own.
    key = models.OneToOneField(
        PatientKey, on_delete=models.PROTECT, null=True, editable=False, related_name="patient", db_constraint=False
    )
    full_name = EncryptedTextField(_("full name"))
    birth_date = models.DateField(_("birth date"), null=True, blank=True)
    sex = models.CharField(_("sex"), max_length=6, choices=Sex, blank=True)
    mizaj_type = models.CharField(_("mizaj"), max_length=8, choices=Mizaj, blank=True, db_index=True)
    medical_history = EncryptedTextField(_("medical history"), blank=True, default="")
    current_medications = EncryptedTextField(_("current medications"), blank=True, default="")
    care_team = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("care team"), related_name="patients_cared_for", blank=True
    )
    source = models.CharField(_("source"), max_length=6, choices=Source, default=Source.CLINIC, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    # What the patient's consents come to, see `Consent`. Whoever was not asked is treated as before.
    is_treated = models.BooleanField(_("consents to treatment"), default=True, db_default=True, editable=False)
    is_counted = models.BooleanField(_("consents to statistics"), default=True, db_default=True, editable=False)
    trains_models = models.BooleanField(_("consents to model training"), default=True, db_default=True, editable=False)
    # Then nobody is behind the record any more: what it counts for in the figures is all that is left.
    erased_at = models.DateTimeField(_("erased"), null=True, editable=False)

    objects: ClassVar[PatientQuerySet] = PatientQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("patient")
        verbose_name_plural = _("patients")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(sex__in=["", "female", "male"]), name="patient_sex_known"),
            models.CheckConstraint(condition=models.Q(mizaj_type__in=["", *Mizaj.values]), name="patient_mizaj_known"),
        ]

    def __str__(self) -> str:
        return str(self.full_name)

    def age(self, on: date) -> int | None:
        """Completed years."""
        if self.birth_date is None:
            return None
        had_birthday = (on.month, on.day) >= (self.birth_date.month, self.birth_date.day)
        return on.year - self.birth_date.year - (not had_birthday)


class Consent(models.Model):
    """That a patient gave or withdrew a consent. Rows are added, never changed: the newest of a purpose holds."""

    class Purpose(models.TextChoices):
        TREATMENT = "treatment", _("treatment")
        STATISTICS = "statistics", _("statistics")
        TRAINING = "training", _("model training")

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose)
    is_given = models.BooleanField(_("given"))
    at = models.DateTimeField(_("time"), default=timezone.now)
    # What was read before it was given: `diagnoses.consents.TEXTS` in this version and language.
    text_version = models.CharField(_("version of the text"), max_length=20)
    language = models.CharField(_("language"), max_length=2)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=["treatment", "statistics", "training"]), name="consent_purpose_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.is_given}"


class BrokenGlass(models.Model):
    """A practitioner opened a record without being on its care team, for a reason and for a while."""

    encryption_key: ClassVar[str] = "patient__key"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="broken_glass")
    practitioner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="glass_broken", verbose_name=_("practitioner")
    )
    reason = EncryptedTextField(_("reason"), validators=[MaxLengthValidator(500)])
    at = models.DateTimeField(_("opened"), default=timezone.now, editable=False)
    until = models.DateTimeField(_("open until"))
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True, editable=False)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="glass_reviewed",
        verbose_name=_("reviewed by"),
    )

    objects: ClassVar[BrokenGlassQuerySet] = BrokenGlassQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("emergency access")
        verbose_name_plural = _("emergency accesses")
        ordering = ["-at", "-pk"]
        indexes = [
            # whether a practitioner sees a record: asked with every record
            models.Index(fields=["practitioner", "patient", "until"], name="broken_glass_open"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reviewed_at=None, reviewed_by=None)
                | models.Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="broken_glass_reviewed_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.practitioner}"


class Diagnosis(models.Model):
    encryption_key: ClassVar[str] = "patient__key"

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        RESOLVED = "resolved", _("resolved")
        ENTERED_IN_ERROR = "entered_in_error", _("entered in error")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="diagnoses")
    practitioner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="diagnoses_made", null=True, blank=True
    )
    condition = models.ForeignKey(Condition, on_delete=models.PROTECT, related_name="diagnoses")
    severity = models.PositiveSmallIntegerField(_("severity"), validators=ONE_TO_FIVE)
    imbalance = models.CharField(_("imbalance"), max_length=8, choices=Mizaj, blank=True)
    symptoms = EncryptedJSONField(_("symptoms"), default=list, blank=True)
    notes = EncryptedTextField(_("notes"), default="", blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.ACTIVE)
    head = models.PositiveIntegerField(_("newest event"), default=0, editable=False)
    # Of the patient's wishes what a report must know, on the row that it locks anyway.
    takes_events = models.BooleanField(_("anything new comes in"), default=True, db_default=True, editable=False)
    is_counted = models.BooleanField(_("counts in the figures"), default=True, db_default=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: ClassVar[DiagnosisQuerySet] = DiagnosisQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("diagnosis")
        verbose_name_plural = _("diagnoses")
        ordering = ["-created_at", "-pk"]
        indexes = [
            # a patient's diagnoses, newest first
            models.Index(fields=["patient", "-created_at"], name="diagnosis_patient_created"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(severity__range=(1, 5)), name="diagnosis_severity_range"),
            models.CheckConstraint(
                condition=models.Q(imbalance__in=["", *Mizaj.values]), name="diagnosis_imbalance_known"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "resolved", "entered_in_error"]),
                name="diagnosis_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.condition} ({self.get_status_display()})"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE


class Recommendation(models.Model):
    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        COMPLETED = "completed", _("completed")
        STOPPED = "stopped", _("stopped")
        REPLACED = "replaced", _("replaced")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    diagnosis = models.ForeignKey(Diagnosis, on_delete=models.PROTECT, related_name="recommendations")
    remedy = models.ForeignKey(Remedy, on_delete=models.PROTECT, related_name="recommendations")
    dosage = models.CharField(_("dosage"), max_length=200, blank=True)
    frequency = models.CharField(_("frequency"), max_length=200, blank=True)
    duration_days = models.PositiveSmallIntegerField(_("days"), null=True, blank=True)
    instructions = models.CharField(_("instructions"), max_length=1000, blank=True)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.ACTIVE)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    # The lists order by it; kept by analytics in the transaction of each feedback.
    effectiveness_score = models.FloatField(_("effectiveness"), null=True, editable=False, db_index=True)
    confidence = models.FloatField(_("confidence"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects: ClassVar[RecommendationQuerySet] = RecommendationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("recommendation")
        verbose_name_plural = _("recommendations")
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["diagnosis", "remedy"],
                condition=models.Q(status="active"),
                name="recommendation_one_active_per_remedy",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "completed", "stopped", "replaced"]),
                name="recommendation_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(effectiveness_score__range=(0, 1)), name="recommendation_effectiveness_range"
            ),
            models.CheckConstraint(
                condition=models.Q(confidence__range=(0, 1)), name="recommendation_confidence_range"
            ),
            models.CheckConstraint(
                condition=models.Q(duration_days__range=(1, 730)), name="recommendation_duration_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remedy}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE


class Contraindication(models.Model):
    """A remedy that must not be given to the patient, until somebody lifts it. Kept also then."""

    encryption_key: ClassVar[str] = "patient__key"

    class Cause(models.TextChoices):
        ALLERGY = "allergy", _("allergy")
        INTOLERANCE = "intolerance", _("intolerance")
        PREGNANCY = "pregnancy", _("pregnancy or nursing")
        INTERACTION = "interaction", _("interaction with a medicine")
        OTHER = "other", _("another cause")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="contraindications")
    remedy = models.ForeignKey(
        Remedy, on_delete=models.PROTECT, related_name="contraindications", verbose_name=_("remedy")
    )
    cause = models.CharField(_("cause"), max_length=12, choices=Cause)
    reason = EncryptedTextField(_("reason"), default="", blank=True, validators=[MaxLengthValidator(500)])
    stated_at = models.DateTimeField(_("stated"), default=timezone.now, editable=False)
    stated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="contraindications_stated",
        verbose_name=_("stated by"),
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, blank=True, editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="contraindications_lifted",
        verbose_name=_("lifted by"),
    )

    objects: ClassVar[ContraindicationQuerySet] = ContraindicationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("contraindication")
        verbose_name_plural = _("contraindications")
        ordering = ["-stated_at", "-pk"]
        constraints = [
            # also the index that answers what must not be given to a patient
            models.UniqueConstraint(
                fields=["patient", "remedy"],
                condition=models.Q(lifted_at=None),
                name="contraindication_one_standing_per_remedy",
            ),
            models.CheckConstraint(
                condition=models.Q(cause__in=["allergy", "intolerance", "pregnancy", "interaction", "other"]),
                name="contraindication_cause_known",
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_by=None) | models.Q(lifted_at__isnull=False),
                name="contraindication_lifted_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remedy} ({self.get_cause_display()})"

    @property
    def is_standing(self) -> bool:
        return self.lifted_at is None

    def active_recommendations(self) -> RecommendationQuerySet:
        """What is given although it must not be; nothing but a practitioner stops it."""
        given = Recommendation.objects.for_list().active().filter(remedy=self.remedy_id)
        return given.filter(diagnosis__patient=self.patient_id, diagnosis__status=Diagnosis.Status.ACTIVE)
