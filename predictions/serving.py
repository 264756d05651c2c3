"""Answers with rankings that are made once and kept for an hour, under all that they were made of.

The key of a ranking holds the model, the day, the newest event of the diagnosis and of the patient's other diagnoses,
and every other field that was read. A change of any leads to another key: nothing has to be dropped, and so no drop can
be lost. What is left out of a ranking, and every name, is read anew each time. Only what others report on the same
remedies shows late, by an hour at most; it raises the head of the diagnosis when it moves a score by more than a point
(analytics/telling.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.utils import timezone

from analytics.effectiveness import Beta
from avicenna import metrics
from diagnoses.models import Recommendation
from predictions import cache
from predictions.actions import record_shown
from predictions.levels import Level
from predictions.ranking import (
    Candidates,
    EvidenceNote,
    LogitNormal,
    Prediction,
    Ranking,
    rank_candidates,
    ranked,
)
from predictions.registry import ActiveModel, registry

# A version of the code that keeps other values finds none of these.
FORMAT = [field.name for kept in (Prediction, EvidenceNote) for field in fields(kept)]

Plain = dict[str, tuple[Any, ...]]


def answer(candidates: Sequence[Candidates], level: Level) -> list[Ranking]:
    """One ranking for each, in their order, for somebody who asked: it counts, and is kept to be measured."""
    active = registry.active()
    digests = {one.diagnosis.pk: _digest(one, active) for one in candidates if one.recommendations}
    keys = {pk: f"pred:{pk}:{level}:v{active.version if active else 0}:{digest}" for pk, digest in digests.items()}
    kept = cache.read([*keys.values(), *map(_shown_key, digests)])
    unknown = [one for one in candidates if keys.get(one.diagnosis.pk) not in kept]
    made = {ranking.diagnosis.pk: ranking for ranking in rank_candidates(unknown, level, active)}
    cache.write({keys[pk]: _plain(ranking) for pk, ranking in made.items() if pk in keys})
    version = active.version if active else None
    rankings = [
        made.get(one.diagnosis.pk) or _remembered(one, level, version, kept[keys[one.diagnosis.pk]])
        for one in candidates
    ]
    _count(rankings)
    new = {pk: digest for pk, digest in digests.items() if kept.get(_shown_key(pk)) != digest}
    if new and record_shown(ranking for ranking in rankings if ranking.diagnosis.pk in new):
        cache.write({_shown_key(pk): digest for pk, digest in new.items()})
    return rankings


def _shown_key(diagnosis: UUID) -> str:
    """Where the digest of what was recorded last as shown is kept, so that the same is not looked up again."""
    return f"shown:{diagnosis}"


def _digest(candidates: Candidates, active: ActiveModel | None) -> str:
    """Of all that a ranking is made of."""
    diagnosis, patient = candidates.diagnosis, candidates.diagnosis.patient
    made_of = (
        FORMAT,
        active and active.identity,
        timezone.localdate(),
        (diagnosis.head, diagnosis.condition_id, diagnosis.imbalance),
        (candidates.patient_head, patient.mizaj_type, patient.sex, patient.birth_date),
        [_read_of(one) for one in candidates.recommendations],
    )
    return blake2b(repr(made_of).encode(), digest_size=16).hexdigest()


def _read_of(recommendation: Recommendation) -> tuple[Any, ...]:
    remedy = recommendation.remedy
    return recommendation.pk, remedy.pk, remedy.slug, remedy.kind, remedy.warmth, remedy.moisture


def _plain(ranking: Ranking) -> Plain:
    """Numbers and codes by the recommendation they belong to."""
    return {
        one.recommendation.pk.hex: (
            one.score,
            one.predicted_effectiveness,
            one.interval,
            astuple(one.evidence),
            astuple(one.belief),
            one.contributions,
            one.told,
        )
        for one in ranking.predictions
    }


def _remembered(candidates: Candidates, level: Level, version: int | None, kept: Plain) -> Ranking:
    predictions = [_prediction(row, *kept[row.pk.hex]) for row in candidates.recommendations]
    return ranked(candidates, level, version, predictions, is_remembered=True)


def _prediction(
    recommendation: Recommendation,
    score: float,
    predicted_effectiveness: float,
    interval: Sequence[float],
    evidence: Sequence[Any],
    belief: Sequence[float],
    contributions: dict[str, float] | None,
    told: dict[str, Sequence[int]],
) -> Prediction:
    """From Redis tuples come back as lists."""
    low, high = interval
    return Prediction(
        recommendation=recommendation,
        score=score,
        predicted_effectiveness=predicted_effectiveness,
        interval=(low, high),
        evidence=EvidenceNote(*evidence),
        belief=Beta(*belief) if contributions is None else LogitNormal(*belief),
        contributions=contributions,
        told={group: (successes, reports) for group, (successes, reports) in told.items()},
    )


def _count(rankings: Sequence[Ranking]) -> None:
    for ranking in rankings:
        metrics.predictions.labels(ranking.level.value).inc()
        if ranking.is_remembered:
            metrics.prediction_cache_hits.inc()
        for prediction in ranking.predictions:
            metrics.prediction_scores.observe(prediction.score)
