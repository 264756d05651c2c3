from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from diagnoses.mizaj import Mizaj
from diagnoses.models import Diagnosis, Patient, Recommendation
from feedback.models import Feedback
from predictions.querysets import PredictionRecordQuerySet


class PredictionModel(models.Model):
    """A trained model: plain numbers as JSON, what it was trained on and how well it did on what came after."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    trained_at = models.DateTimeField(_("trained"), auto_now_add=True)
    # of the reports that the coefficients come from
    trained_from = models.DateTimeField(_("first report"), null=True)
    trained_until = models.DateTimeField(_("last report"), null=True)
    half_life = models.FloatField(_("days after which a report counts half"), null=True)
    softening = models.FloatField(_("how far outcomes lean on the improvement"), default=0.0)
    training_size = models.PositiveIntegerField(_("reports learned from"))
    holdout_size = models.PositiveIntegerField(_("newest reports held out"))
    metrics = models.JSONField(_("quality on the held-out reports"), default=dict)
    scales = models.JSONField(_("prior scale of each group"), default=dict)
    coefficients = models.JSONField(_("coefficients"), default=dict)
    is_active = models.BooleanField(_("in use"), default=False)

    class Meta:
        verbose_name = _("prediction model")
        verbose_name_plural = _("prediction models")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=models.Q(is_active=True), name="prediction_model_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.version}"


class PredictionRecord(models.Model):
    """What was shown to whom, to be held against what happened: one run of showing the same for a recommendation.

    As long as the same version says the same (to three decimals) it is one run; the next number begins when it says
    something else. So the newest run begun before a moment is what was shown then.
    """

    recommendation = models.ForeignKey(
        Recommendation, on_delete=models.CASCADE, related_name="predictions", db_index=False
    )
    diagnosis = models.ForeignKey(Diagnosis, on_delete=models.CASCADE, related_name="predictions")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="predictions")
    number = models.PositiveIntegerField(_("number"))
    model_version = models.PositiveIntegerField(
        _("model version"), default=0, help_text=_("0: the estimate from the evidence, before a model was trained")
    )
    predicted = models.FloatField(_("predicted chance of success"))
    lower = models.FloatField(_("lower end"))
    upper = models.FloatField(_("upper end"))
    # As they were when it was shown: a later change of the record must not move who was told what.
    sex = models.CharField(_("sex"), max_length=6, choices=Patient.Sex, blank=True)
    age_band = models.CharField(_("age band"), max_length=8, blank=True)
    mizaj = models.CharField(_("mizaj"), max_length=8, choices=Mizaj, blank=True)
    shown_at = models.DateTimeField(_("shown"), default=timezone.now)
    last_shown_at = models.DateTimeField(
        _("last shown"),
        default=timezone.now,
        help_text=_("to the day: a page that shows the same again writes nothing"),
    )
    # The first report while this was what was shown; later ones are no new outcome of it.
    feedback = models.OneToOneField(
        Feedback, on_delete=models.CASCADE, related_name="prediction", null=True, blank=True, verbose_name=_("report")
    )
    # When that report was given, copied for its index.
    reported_at = models.DateTimeField(_("reported"), null=True, blank=True)

    objects: ClassVar[PredictionRecordQuerySet] = PredictionRecordQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("shown prediction")
        verbose_name_plural = _("shown predictions")
        ordering = ["-pk"]
        indexes = [
            # the outcomes of a stretch of time, and where matching goes on
            models.Index(
                fields=["reported_at"], condition=models.Q(reported_at__isnull=False), name="prediction_record_reported"
            ),
        ]
        constraints = [
            # of two that show something new at once one writes it; its index also finds the newest run
            models.UniqueConstraint(fields=["recommendation", "number"], name="prediction_record_run"),
            models.CheckConstraint(condition=models.Q(predicted__range=(0, 1)), name="prediction_record_chance_range"),
            models.CheckConstraint(
                condition=models.Q(lower__gte=0, lower__lte=models.F("upper"), upper__lte=1),
                name="prediction_record_interval_range",
            ),
            models.CheckConstraint(
                condition=models.Q(feedback=None, reported_at=None)
                | models.Q(feedback__isnull=False, reported_at__isnull=False),
                name="prediction_record_reported_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recommendation_id} #{self.number}"
