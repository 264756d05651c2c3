"""Tells those who watch a diagnosis when reports have changed the ranking of its recommendations.

A report marks the ranking that was told as due, in its own transaction (`analytics.models.ToldRanking`); the work
beside requests looks into what is due. It may be killed at any time: what was not told is still due, and told once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from analytics.models import ToldRanking
from avicenna.locks import impatient
from avicenna.sql import run
from diagnoses.models import Diagnosis
from predictions.levels import Level
from predictions.ranking import Ranking, rank
from realtime.events import RankedState, RecommendationState, RecommendationUpdate
from realtime.publish import publish

# Three points of a hundred.
NOTICEABLE = 0.03

# What is kept of a ranking that was told: recommendation and predicted effectiveness, best first.
Told = Sequence[Sequence[Any]]


def rerank_what_is_due() -> int:
    """One round; how many diagnoses were told."""
    due = ToldRanking.objects.filter(is_due=True).values_list("pk", flat=True)
    return sum(rerank(diagnosis_id=pk) for pk in list(due))


@transaction.atomic
def rerank(*, diagnosis_id: UUID) -> bool:
    """Whether there was something to tell."""
    diagnosis = Diagnosis.objects.for_list().select_for_update(of=("self",)).filter(pk=diagnosis_id).first()
    told = ToldRanking.objects.filter(pk=diagnosis_id, is_due=True).first()
    if diagnosis is None or told is None:
        return False
    ranking = rank(diagnosis, Level.BALANCED)
    before, now = told.ranking, _told_of(ranking)
    told.is_due = False
    is_open = diagnosis.status == Diagnosis.Status.ACTIVE and diagnosis.takes_events
    is_news = is_open and _has_moved(before, now)
    if is_news:
        told.ranking = now
        publish(diagnosis, _reranked(ranking, was_best=before[0][0] if before else ""))
    told.save(update_fields=["ranking", "is_due"])
    return is_news


def remember_shown(rankings: Sequence[Ranking]) -> None:
    """The first ranking somebody is shown of a diagnosis is what the next one is compared with."""
    shown = {ranking.diagnosis.pk: ranking for ranking in rankings}
    known = ToldRanking.objects.filter(pk__in=shown).values_list("pk", flat=True)
    if new := shown.keys() - set(known):
        _remember({pk: shown[pk] for pk in sorted(new)})


@transaction.atomic
def _remember(shown: Mapping[UUID, Ranking]) -> None:
    """One that a report has come for since it was made is due at once."""
    run(*impatient())
    # Locked, so that a report that is being written either finds the row or is seen by it.
    locked = Diagnosis.objects.select_for_update().filter(pk__in=shown).order_by("pk")
    rows = [
        ToldRanking(diagnosis_id=pk, ranking=_told_of(shown[pk]), is_due=head > shown[pk].diagnosis.head)
        for pk, head in locked.values_list("pk", "head")
    ]
    ToldRanking.objects.bulk_create(rows, ignore_conflicts=True)


def _told_of(ranking: Ranking) -> list[list[Any]]:
    """As the balanced level ranks, whichever was asked for."""
    told = [[one.recommendation.pk.hex, one.predicted_effectiveness] for one in ranking.predictions]
    return sorted(told, key=lambda one: (-one[1], one[0]))


def _has_moved(before: Told, now: Told) -> bool:
    """Another order, somebody new in it, or a score that is noticeably another. Who left it is no news here."""
    scores: dict[str, float] = {name: score for name, score in now}
    if [name for name, _ in before if name in scores] != [name for name, _ in now]:
        return True
    return any(name in scores and abs(scores[name] - score) > NOTICEABLE for name, score in before)


def _reranked(ranking: Ranking, was_best: str) -> RecommendationUpdate:
    by_name = {one.recommendation.pk.hex: one.recommendation for one in ranking.predictions}
    best = ranking.predictions[0].recommendation
    previous = by_name.get(was_best)
    return RecommendationUpdate(
        action="reranked",
        recommendation=RecommendationState.of(best),
        previous=RecommendationState.of(previous) if previous and previous != best else None,
        ranking=[
            RankedState(
                recommendation_id=one.recommendation.pk,
                predicted_effectiveness=one.predicted_effectiveness,
                interval=one.interval,
            )
            for one in ranking.predictions
        ],
    )
