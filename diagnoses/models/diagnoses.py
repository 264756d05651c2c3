from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from avicenna.encryption import EncryptedJSONField, EncryptedTextField
from avicenna.identifiers import new_id
from diagnoses.mizaj import Mizaj
from diagnoses.models.catalogue import Condition, Remedy
from diagnoses.models.patients import Patient
from diagnoses.querysets import ContraindicationQuerySet, DiagnosisQuerySet, RecommendationQuerySet

ONE_TO_FIVE = [MinValueValidator(1), MaxValueValidator(5)]


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
