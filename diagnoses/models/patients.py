from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from avicenna.data_keys import new_secret
from avicenna.encryption import EncryptedTextField
from avicenna.identifiers import new_id
from diagnoses.mizaj import Mizaj
from diagnoses.querysets import BrokenGlassQuerySet, PatientQuerySet


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
