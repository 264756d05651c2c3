"""Shows predictions and reports on them, at any time, and says by plain loops which belong together."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from diagnoses.models import Recommendation
from feedback.actions import submit
from feedback.models import Feedback
from predictions.actions import record_shown
from predictions.levels import Level
from predictions.models import PredictionRecord
from predictions.ranking import EvidenceNote, LogitNormal, Prediction, Ranking

NOTE = EvidenceNote("prior", "model", 0, None)


def show(recommendation: Recommendation, chance: float, *, version: int = 1, at: datetime | None = None) -> None:
    """As if the page had been looked at `at` that time; call it in the order of time."""
    interval = (max(0.0, chance - 0.1), min(1.0, chance + 0.1))
    prediction = Prediction(recommendation, chance, chance, interval, NOTE, LogitNormal(0.0, 1.0), None, {})
    record_shown([Ranking(recommendation.diagnosis, Level.BALANCED, version, [prediction])])
    if at:
        newest = PredictionRecord.objects.filter(recommendation=recommendation).first()
        assert newest
        fields = {"last_shown_at": at} | ({"shown_at": at} if newest.shown_at > at else {})
        PredictionRecord.objects.filter(pk=newest.pk).update(**fields)


def report(recommendation: Recommendation, rating: int, *, at: datetime | None = None) -> Feedback:
    stored, _ = submit(actor=None, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3, at=at)
    return stored


def belonging() -> dict[int, Any]:
    """Run → the first report while it was what was shown."""
    found: dict[int, Any] = {}
    runs = PredictionRecord.objects.order_by("recommendation", "number")
    for recommendation, own in groupby(runs, key=lambda run: run.recommendation_id):
        reports = list(Feedback.objects.filter(recommendation=recommendation).order_by("created_at", "pk"))
        for run, following in pairwise([*own, None]):
            assert run
            within = [
                one
                for one in reports
                if one.created_at >= run.shown_at and (following is None or one.created_at < following.shown_at)
            ]
            if within:
                found[run.pk] = within[0].pk
    return found


def matched() -> dict[int, Any]:
    return dict(PredictionRecord.objects.exclude(feedback=None).values_list("pk", "feedback"))
