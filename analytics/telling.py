"""Tells the other diagnoses when a remedy moved: what some report changes what others may expect.

A report writes nothing more for it: that the rollups differ from what was last told (`Told`) says that something is
due, and says so until the telling is done. Who is to hear of a changed trend is written down (`Due`), because their own
score may hardly show it. The process that does it may be killed at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from analytics import evidence
from analytics.actions import recalculate_diagnosis
from analytics.evidence import Evidence, Finding
from analytics.models import Due, Told
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
    """One round over the remedies that were reported on since the last; returns how many events were told.

    On a new day all remedies are looked at, because a trend changes with the days, too. A diagnosis that heard of a
    score a moment ago is left for a later round.
    """
    today = timezone.localdate()
    now = evidence.collect_kind(Kind.REMEDY)
    told = {Subject(Kind.REMEDY, row.key): row for row in Told.objects.filter(kind=Kind.REMEDY)}
    count = 0
    for remedy in sorted(now.keys() | told.keys()):
        sums, last = now.get(remedy, Evidence()).window, told.get(remedy)
        if last and (last.n, last.successes, last.day) == (sums.n, sums.successes, today):
            continue
        said, is_done = _tell_of(remedy)
        count += said
        if is_done:
            _remember(remedy, n=sums.n, successes=sums.successes, day=today)
    return count


def _tell_of(remedy: Subject) -> tuple[int, bool]:
    """How many events were told of a remedy, and whether none is left for later."""
    recommendations = Recommendation.objects.active().filter(
        remedy=int(remedy.key), diagnosis__status=Diagnosis.Status.ACTIVE
    )
    conditions = recommendations.order_by().values_list("diagnosis__condition", flat=True).distinct()
    pairs = {Subject.remedy_condition(int(remedy.key), condition): condition for condition in conditions}
    known = evidence.collect([EVERYTHING, remedy, *pairs])
    findings = evidence.find_all([[EVERYTHING, remedy, pair] for pair in pairs], known)
    told = {Subject(Kind.REMEDY_CONDITION, row.key): row for row in _told(pairs)}
    for finding in findings:
        before = told.get(finding.subject)
        if before is None or before.trend != finding.trend:
            _note_trend(finding, before, recommendations.filter(diagnosis__condition=pairs[finding.subject]))
    due = _due(int(remedy.key))
    count, is_done = 0, True
    for finding in findings:
        before, condition = told.get(finding.subject), pairs[finding.subject]
        if before and condition not in due and not _has_moved(before, finding):
            continue
        concerned = recommendations.filter(diagnosis__condition=condition)
        said, left = _tell_each(concerned, before, known, due.get(condition, set()))
        count += said
        if left:
            is_done = False
        else:
            _remember(finding.subject, score=finding.estimate.score)
    if is_done and due:
        Due.objects.filter(recommendation__remedy=int(remedy.key)).delete()
    return count, is_done


@transaction.atomic
def _note_trend(finding: Finding, before: Told | None, recommendations: QuerySet[Recommendation]) -> None:
    """Writes down at once who is to hear of a changed trend: each of them once, however long some must wait."""
    if before and before.trend:
        due = (Due(recommendation_id=pk) for pk in recommendations.values_list("pk", flat=True))
        Due.objects.bulk_create(due, ignore_conflicts=True, batch_size=CHUNK)
    _remember(finding.subject, trend=finding.trend)


def _due(remedy: int) -> Mapping[int, set[UUID]]:
    """Condition → the recommendations of the remedy for it that are to hear of a trend, also where the course ended."""
    due: defaultdict[int, set[UUID]] = defaultdict(set)
    rows = Due.objects.filter(recommendation__remedy=remedy)
    for pk, condition in rows.values_list("recommendation", "recommendation__diagnosis__condition"):
        due[condition].add(pk)
    return due


def _tell_each(
    recommendations: QuerySet[Recommendation], before: Told | None, known: Mapping[Subject, Evidence], due: set[UUID]
) -> tuple[int, int]:
    """How many were told, because their own score moved or because it is `due`, and how many are left for later."""
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
            (pk, diagnosis, score == finding.estimate.score)
            for (pk, diagnosis, *_, score), finding in zip(some, findings, strict=True)
            if pk in due or _is_noticeable(score, before, finding)
        ]
        heard = _heard_lately(diagnosis for _, diagnosis, _ in moved)
        for pk, diagnosis, is_told in moved:
            if diagnosis not in heard:
                _tell(pk, diagnosis, even_if_same=pk in due)
                said += 1
            elif is_told:  # by the very report that changed the trend
                Due.objects.filter(recommendation=pk).delete()
            else:
                left += 1
    return said, left


@transaction.atomic
def _tell(recommendation: UUID, diagnosis: UUID, *, even_if_same: bool) -> None:
    recalculate_diagnosis(diagnosis_id=diagnosis, recommendation_ids=[recommendation], even_if_same=even_if_same)
    Due.objects.filter(recommendation=recommendation).delete()


def _is_noticeable(score: float | None, before: Told | None, finding: Finding) -> bool:
    """Whoever has no score yet is told when the remedy for the condition moved as a whole."""
    stands = before.score if score is None and before else score
    return stands is not None and abs(finding.estimate.score - stands) > NOTICEABLE


def _has_moved(before: Told, finding: Finding) -> bool:
    return before.score is None or abs(before.score - finding.estimate.score) > NOTICEABLE


def _heard_lately(diagnoses: Iterable[Any]) -> set[Any]:
    recent = DiagnosisEvent.objects.filter(
        diagnosis__in=list(diagnoses), type=EffectivenessUpdate.type, created_at__gt=timezone.now() - QUIET
    )
    return set(recent.values_list("diagnosis", flat=True))


def _told(subjects: Iterable[Subject]) -> QuerySet[Told]:
    return Told.objects.filter(kind=Kind.REMEDY_CONDITION, key__in=[subject.key for subject in subjects])


def _remember(subject: Subject, **values: Any) -> None:
    Told.objects.update_or_create(kind=subject.kind, key=subject.key, defaults=values)
