"""Tells the other diagnoses when a remedy moved: what some report changes what others may expect.

A report writes nothing more for it: that the rollups differ from what was last told (`Told`) says that something is
due, and says so until the telling is done. The process that does it may be killed at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from analytics import evidence
from analytics.actions import recalculate_diagnosis
from analytics.evidence import Evidence, Finding
from analytics.models import Told
from analytics.subjects import EVERYTHING, Kind, Subject, chain_of_recommendation
from diagnoses.models import Diagnosis, Recommendation
from realtime.events import EffectivenessUpdate
from realtime.models import DiagnosisEvent

# One point of a hundred.
NOTICEABLE = 0.01
# A diagnosis hears of a score at most once in this time.
QUIET = timedelta(seconds=10)
CHUNK = 500


def tell_what_moved() -> int:
    """One round over the remedies that were reported on since the last; returns how many diagnoses were told.

    A diagnosis that heard of a score a moment ago is left for a later round.
    """
    now = evidence.collect_kind(Kind.REMEDY)
    told = {Subject(Kind.REMEDY, row.key): row for row in Told.objects.filter(kind=Kind.REMEDY)}
    count = 0
    for remedy in sorted(now.keys() | told.keys()):
        known = now.get(remedy, Evidence())
        if remedy in told and (known.window.n, known.window.successes) == (told[remedy].n, told[remedy].successes):
            continue
        said, is_done = _tell_of(remedy)
        count += said
        if is_done:
            _remember(remedy, n=known.window.n, successes=known.window.successes)
    return count


def _tell_of(remedy: Subject) -> tuple[int, bool]:
    """How many diagnoses were told of a remedy, and whether none is left for later."""
    recommendations = Recommendation.objects.active().filter(
        remedy=int(remedy.key), diagnosis__status=Diagnosis.Status.ACTIVE
    )
    conditions = recommendations.order_by().values_list("diagnosis__condition", flat=True).distinct()
    pairs = {Subject.remedy_condition(int(remedy.key), condition): condition for condition in conditions}
    known = evidence.collect([EVERYTHING, remedy, *pairs])
    told = {Subject(Kind.REMEDY_CONDITION, row.key): row for row in _told(pairs)}
    count, is_done = 0, True
    for pair, condition in pairs.items():
        finding, before = evidence.find([EVERYTHING, remedy, pair], known), told.get(pair)
        if before and not _has_moved(before, finding):
            continue
        said, left = _tell_each(recommendations.filter(diagnosis__condition=condition), before, known)
        count += said
        if left:
            is_done = False
        else:
            _remember(pair, score=finding.estimate.score, trend=finding.trend)
    return count, is_done


def _tell_each(
    recommendations: QuerySet[Recommendation], before: Told | None, known: Mapping[Subject, Evidence]
) -> tuple[int, int]:
    """How many diagnoses were told, and how many are left for later."""
    said, left = 0, 0
    rows = list(
        recommendations.order_by("pk").values_list(
            "pk", "diagnosis", "remedy", "diagnosis__condition", "effectiveness_score"
        )
    )
    for some in (rows[first : first + CHUNK] for first in range(0, len(rows), CHUNK)):
        own = evidence.collect(Subject.recommendation(pk) for pk, *_ in some)
        chains = [chain_of_recommendation(pk, remedy, condition) for pk, _, remedy, condition, _ in some]
        findings = evidence.find_all(chains, {**known, **own})
        moved = [
            (pk, diagnosis)
            for (pk, diagnosis, *_, score), finding in zip(some, findings, strict=True)
            if _is_noticeable(score, before, finding)
        ]
        heard = _heard_lately(diagnosis for _, diagnosis in moved)
        for pk, diagnosis in moved:
            if diagnosis in heard:
                left += 1
            else:
                recalculate_diagnosis(diagnosis_id=diagnosis, recommendation_ids=[pk])
                said += 1
    return said, left


def _is_noticeable(score: float | None, before: Told | None, finding: Finding) -> bool:
    """Whoever has no score yet is told when the remedy for the condition moved as a whole."""
    stands = before.score if score is None and before else score
    return stands is not None and abs(finding.estimate.score - stands) > NOTICEABLE


def _has_moved(before: Told, finding: Finding) -> bool:
    return before.trend != finding.trend or abs((before.score or 0.0) - finding.estimate.score) > NOTICEABLE


def _heard_lately(diagnoses: Iterable[Any]) -> set[Any]:
    recent = DiagnosisEvent.objects.filter(
        diagnosis__in=list(diagnoses), type=EffectivenessUpdate.type, created_at__gt=timezone.now() - QUIET
    )
    return set(recent.values_list("diagnosis", flat=True))


def _told(subjects: Iterable[Subject]) -> QuerySet[Told]:
    return Told.objects.filter(kind=Kind.REMEDY_CONDITION, key__in=[subject.key for subject in subjects])


def _remember(subject: Subject, **values: Any) -> None:
    Told.objects.update_or_create(kind=subject.kind, key=subject.key, defaults=values)
