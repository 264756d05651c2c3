from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from avicenna.encryption import EncryptedTextField
from avicenna.identifiers import new_id
from diagnoses.mizaj import Mizaj
from diagnoses.models import ONE_TO_FIVE, Diagnosis, Patient, Recommendation, SideEffect
from feedback.querysets import FeedbackQuerySet, SevereFlagQuerySet

COMMENT_LENGTH = 500
SUCCESS_RATING = 3
SEVERE = 4


class Feedback(models.Model):
    """One report by the patient on one recommendation."""

    encryption_key: ClassVar[str] = "patient__key"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    recommendation = models.ForeignKey(
        Recommendation, on_delete=models.PROTECT, related_name="feedback", db_index=False
    )
    diagnosis = models.ForeignKey(Diagnosis, on_delete=models.PROTECT, related_name="feedback", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="feedback", db_index=False)
    # As it was when the patient reported: a later change of the record must not move old evidence.
    mizaj = models.CharField(_("mizaj"), max_length=8, choices=Mizaj, blank=True, editable=False)
    rating = models.PositiveSmallIntegerField(_("rating"), validators=ONE_TO_FIVE)
    symptom_improvement = models.PositiveSmallIntegerField(_("improvement"), validators=ONE_TO_FIVE)
    compliance = models.PositiveSmallIntegerField(_("compliance"), validators=ONE_TO_FIVE, null=True, blank=True)
    comment = EncryptedTextField(_("comment"), blank=True, default="", validators=[MaxLengthValidator(COMMENT_LENGTH)])
    client_id = models.UUIDField(_("client id"), default=new_id, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    # As the patient consents to statistics: it stands in the record and may be in no figure.
    is_counted = models.BooleanField(_("counts in the figures"), default=True, db_default=True, editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True, editable=False)

    objects: ClassVar[FeedbackQuerySet] = FeedbackQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("feedback")
        verbose_name_plural = _("feedback")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["recommendation", "created_at"], name="feedback_recommendation_time"),
            models.Index(fields=["diagnosis", "created_at"], name="feedback_diagnosis_time"),
            models.Index(fields=["created_at"], name="feedback_time"),
        ]
        constraints = [
            # sending twice is sending once; its index also finds a patient's feedback
            models.UniqueConstraint(fields=["patient", "client_id"], name="feedback_client_id_unique"),
            models.CheckConstraint(condition=models.Q(rating__range=(1, 5)), name="feedback_rating_range"),
            models.CheckConstraint(
                condition=models.Q(symptom_improvement__range=(1, 5)), name="feedback_improvement_range"
            ),
            models.CheckConstraint(condition=models.Q(compliance__range=(1, 5)), name="feedback_compliance_range"),
        ]

    def __str__(self) -> str:
        return f"{self.rating}/5"

    @cached_property
    def effects(self) -> list[SideEffectReport]:
        """The side effects it names, in the order in which they were named."""
        return list(self.side_effects.all())

    @property
    def is_success(self) -> bool:
        return self.rating >= SUCCESS_RATING

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


class SideEffectReport(models.Model):
    feedback = models.ForeignKey(Feedback, on_delete=models.CASCADE, related_name="side_effects")
    effect = models.ForeignKey(SideEffect, on_delete=models.PROTECT, related_name="reports")
    severity = models.PositiveSmallIntegerField(_("severity"), validators=ONE_TO_FIVE)

    class Meta:
        verbose_name = _("side effect report")
        verbose_name_plural = _("side effect reports")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["feedback", "effect"], name="side_effect_once_per_feedback"),
            models.CheckConstraint(condition=models.Q(severity__range=(1, 5)), name="side_effect_severity_range"),
        ]

    def __str__(self) -> str:
        return f"{self.effect} {self.severity}/5"


class SevereFlag(models.Model):
    """A report with a severe side effect, until somebody of the clinic has looked at it."""

    feedback = models.OneToOneField(Feedback, on_delete=models.CASCADE, related_name="flag")
    raised_at = models.DateTimeField(_("raised"), default=timezone.now, editable=False)
    looked_at_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("looked at by"),
    )
    looked_at = models.DateTimeField(_("looked at"), null=True, blank=True)

    objects: ClassVar[SevereFlagQuerySet] = SevereFlagQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("severe side effect")
        verbose_name_plural = _("severe side effects")
        ordering = ["-raised_at", "-pk"]
        indexes = [models.Index(fields=["looked_at", "-raised_at"], name="severe_flag_open")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(looked_at=None, looked_at_by=None)
                | models.Q(looked_at__isnull=False, looked_at_by__isnull=False),
                name="severe_flag_by_whom_and_when",
            )
        ]

    def __str__(self) -> str:
        return f"{self.feedback_id}"
