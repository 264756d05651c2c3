from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from analytics.subjects import Kind
from diagnoses.models import Diagnosis, Patient, Recommendation


class EffectivenessRollup(models.Model):
    """Everything reported about one subject on one day, summed. Reading never scans feedback."""

    kind = models.PositiveSmallIntegerField(choices=Kind)
    key = models.CharField(max_length=40, blank=True)
    day = models.DateField()
    n = models.PositiveIntegerField(_("reports"), default=0)
    successes = models.PositiveIntegerField(default=0)
    rating_sum = models.PositiveIntegerField(default=0)
    improvement_sum = models.PositiveIntegerField(default=0)
    compliance_n = models.PositiveIntegerField(_("reports that state compliance"), default=0)
    compliance_sum = models.PositiveIntegerField(default=0)
    side_effects = models.PositiveIntegerField(_("reports with a side effect"), default=0)
    severe = models.PositiveIntegerField(_("reports with a severe side effect"), default=0)

    class Meta:
        verbose_name = _("rollup")
        verbose_name_plural = _("rollups")
        constraints = [
            # also the index for one subject over time
            models.UniqueConstraint(fields=["kind", "key", "day"], name="rollup_subject_day_unique"),
            models.CheckConstraint(condition=Q(successes__lte=F("n")), name="rollup_successes_within_n"),
            models.CheckConstraint(
                condition=Q(severe__lte=F("side_effects")), name="rollup_severe_within_side_effects"
            ),
            models.CheckConstraint(condition=Q(side_effects__lte=F("n")), name="rollup_side_effects_within_n"),
        ]
        indexes = [
            # all subjects of a kind in a window: the ranked lists
            models.Index(fields=["kind", "day"], name="rollup_kind_day"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key} {self.day}"


class SubjectPatient(models.Model):
    """That a patient is among the evidence about a subject: small groups are not shown."""

    kind = models.PositiveSmallIntegerField(choices=Kind)
    key = models.CharField(max_length=40, blank=True)
    # No index of its own: a patient who reported stays, and every report would have to keep it up.
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+", db_index=False)
    last_day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key", "patient"], name="subject_patient_unique"),
        ]
        indexes = [
            # how many patients stand behind a subject since a day
            models.Index(fields=["kind", "key", "last_day"], name="subject_patient_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"


class FittedPrior(models.Model):
    """How much a subject is expected to be like its parent, as the reports themselves say; the newest counts."""

    strength = models.FloatField(_("strength"), help_text=_("in reports"))
    subjects = models.PositiveIntegerField(_("subjects compared"))
    reports = models.PositiveIntegerField(_("reports behind them"))
    fitted_at = models.DateTimeField(_("fitted"), default=timezone.now)

    class Meta:
        verbose_name = _("fitted prior")
        verbose_name_plural = _("fitted priors")
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(strength__gt=0), name="fitted_prior_strength_positive")]

    def __str__(self) -> str:
        return f"{self.strength:.1f}"


class Told(models.Model):
    """What diagnoses were last told: of a remedy its counts and on which day, of one for a condition score and trend.

    An empty trend is one that nobody was told yet; it cannot change.
    """

    kind = models.PositiveSmallIntegerField(choices=Kind)
    key = models.CharField(max_length=40)
    n = models.PositiveIntegerField(default=0)
    successes = models.PositiveIntegerField(default=0)
    score = models.FloatField(null=True)
    trend = models.CharField(max_length=9, blank=True)
    # Trends change with the days, too.
    day = models.DateField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="told_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"


class Due(models.Model):
    """That the trend of a recommendation's remedy changed and its diagnosis is still to hear of it."""

    recommendation = models.OneToOneField(Recommendation, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.recommendation_id}"


class ToldRanking(models.Model):
    """The order and the scores of a diagnosis's recommendations that those who watch it were last told.

    `is_due` since a report may have changed them: written in the report's own transaction, taken back when it was
    looked into. A diagnosis that nobody was shown a ranking of has no row, and costs its reports nothing.
    """

    diagnosis = models.OneToOneField(Diagnosis, on_delete=models.CASCADE, primary_key=True, related_name="+")
    ranking = models.JSONField(help_text="[recommendation, predicted effectiveness], best first")
    is_due = models.BooleanField(default=False)

    class Meta:
        indexes = [
            # what the work beside requests looks for each second
            models.Index(fields=["diagnosis"], condition=Q(is_due=True), name="told_ranking_due"),
        ]

    def __str__(self) -> str:
        return f"{self.diagnosis_id}"
