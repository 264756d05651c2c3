"""Tells the other diagnoses when a remedy moved: what some report changes what others may expect.

A report writes nothing more for it: that the rollups differ from what was last told (`Told`) says that something is
due, and says so until the telling is done. Who is to hear of a changed trend is written down (`Due`), because their own
score may hardly show it. The process that does it may be killed at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, TypeVar
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

Row = TypeVar("Row")

# One point of a hundred.
NOTICEABLE = 0.01
# A diagnosis hears of a score at most once in this time.
QUIET = timedelta(seconds=10)
# Remedies, and recommendations, that are looked at together.
REMEDIES, CHUNK = 50, 500

# A remedy for a condition, by their ids.
Pair = tuple[int, int]


def tell_what_moved() -> int:
    """One round over the remedies that were reported on since the last; returns how many events were told.

    On a new day all remedies are looked at, because a trend changes with the days, too. A diagnosis that heard of a
    score a moment ago is left for a later round. However many remedies were reported on, a round asks the database
    about REMEDIES of them at once.
    """
    today = timezone.localdate()
    now = evidence.collect_kind(Kind.REMEDY)
    told = {Subject(Kind.REMEDY, row.key): row for row in Told.objects.filter(kind=Kind.REMEDY)}
    moved: dict[int, Told] = {}
    for remedy in sorted(now.keys() | told.keys()):
        sums, last = now.get(remedy, Evidence()).window, told.get(remedy)
        if not (last and (last.n, last.successes, last.day) == (sums.n, sums.successes, today)):
            moved[int(remedy.key)] = Told(
                kind=remedy.kind, key=remedy.key, n=sums.n, successes=sums.successes, day=today
            )
    count = 0
    for some in _portions(moved, REMEDIES):
        said, waiting = _tell_of(some)
        count += said
        _remember([moved[remedy] for remedy in some if remedy not in waiting], "n", "successes", "day")
    return count


def _tell_of(remedies: Sequence[int]) -> tuple[int, set[int]]:
    """How many events were told of these remedies, and which of them have some left for later."""
    recommendations = Recommendation.objects.active().filter(
        remedy__in=remedies, diagnosis__status=Diagnosis.Status.ACTIVE
    )
    given = recommendations.order_by().values_list("remedy", "diagnosis__condition").distinct()
    pairs: list[Pair] = list(given)
    subjects = [Subject.remedy_condition(*pair) for pair in pairs]
    known = evidence.collect([EVERYTHING, *map(Subject.remedy, remedies), *subjects])
    chains = [[EVERYTHING, Subject.remedy(remedy), Subject.remedy_condition(remedy, c)] for remedy, c in pairs]
    findings = dict(zip(pairs, evidence.find_all(chains, known), strict=True))
    told = _told(subjects)
    _note_trends(findings, told, recommendations)
    due = _due(remedies)
    concerned = {
        pair: told.get(finding.subject)
        for pair, finding in findings.items()
        if pair in due or _has_moved(told.get(finding.subject), finding)
    }
    said, waiting = _tell_each(recommendations, concerned, known, due)
    over = [findings[pair] for pair in concerned if pair not in waiting]
    _remember([_as_told(finding, score=finding.estimate.score) for finding in over], "score")
    unfinished = {remedy for remedy, _ in waiting}
    if due:
        Due.objects.filter(recommendation__remedy__in=[one for one in remedies if one not in unfinished]).delete()
    return said, unfinished


@transaction.atomic
def _note_trends(
    findings: Mapping[Pair, Finding], told: Mapping[Subject, Told], recommendations: QuerySet[Recommendation]
) -> None:
    """Writes down at once who is to hear of a changed trend: each of them once, however long some must wait."""
    changed, turned = [], set[Pair]()
    for pair, finding in findings.items():
        before = told.get(finding.subject)
        if before is None or before.trend != finding.trend:
            changed.append(_as_told(finding, trend=finding.trend))
            if before and before.trend:
                turned.add(pair)
    if turned:
        given = recommendations.filter(remedy__in={remedy for remedy, _ in turned})
        rows = given.values_list("pk", "remedy", "diagnosis__condition")
        due = (Due(recommendation_id=pk) for pk, *pair in rows if tuple(pair) in turned)
        Due.objects.bulk_create(due, ignore_conflicts=True, batch_size=CHUNK)
    _remember(changed, "trend")


def _due(remedies: Sequence[int]) -> Mapping[Pair, set[UUID]]:
    """The recommendations that are to hear of a trend, also where the course ended."""
    due: defaultdict[Pair, set[UUID]] = defaultdict(set)
    rows = Due.objects.filter(recommendation__remedy__in=remedies)
    names = "recommendation", "recommendation__remedy", "recommendation__diagnosis__condition"
    for pk, remedy, condition in rows.values_list(*names):
        due[(remedy, condition)].add(pk)
    return due


def _tell_each(
    recommendations: QuerySet[Recommendation],
    concerned: Mapping[Pair, Told | None],
    known: Mapping[Subject, Evidence],
    due: Mapping[Pair, set[UUID]],
) -> tuple[int, set[Pair]]:
    """How many were told, because their own score moved or because it is `due`, and where some are left for later."""
    said, waiting = 0, set[Pair]()
    given = recommendations.filter(remedy__in={remedy for remedy, _ in concerned}).order_by("pk")
    rows = given.values_list("pk", "diagnosis", "remedy", "diagnosis__condition", "effectiveness_score")
    for some in _portions((row for row in rows.iterator(CHUNK) if row[2:4] in concerned), CHUNK):
        own = evidence.collect(Subject.recommendation(pk) for pk, *_ in some)
        chains = [chain_of_recommendation(pk, remedy, condition) for pk, _, remedy, condition, _ in some]
        findings = evidence.find_all(chains, {**known, **own})
        moved = [
            (pk, diagnosis, (remedy, condition), score == finding.estimate.score)
            for (pk, diagnosis, remedy, condition, score), finding in zip(some, findings, strict=True)
            if pk in due.get((remedy, condition), ()) or _is_noticeable(score, concerned[(remedy, condition)], finding)
        ]
        heard = _heard_lately(diagnosis for _, diagnosis, *_ in moved)
        for pk, diagnosis, pair, is_told in moved:
            if diagnosis not in heard:
                _tell(pk, diagnosis, even_if_same=pk in due.get(pair, ()))
                heard.add(diagnosis)
                said += 1
            elif is_told:  # by the very report that changed the trend
                Due.objects.filter(recommendation=pk).delete()
            else:
                waiting.add(pair)
    return said, waiting


@transaction.atomic
def _tell(recommendation: UUID, diagnosis: UUID, *, even_if_same: bool) -> None:
    recalculate_diagnosis(diagnosis_id=diagnosis, recommendation_ids=[recommendation], even_if_same=even_if_same)
    Due.objects.filter(recommendation=recommendation).delete()


def _is_noticeable(score: float | None, before: Told | None, finding: Finding) -> bool:
    """Whoever has no score yet is told when the remedy for the condition moved as a whole."""
    stands = before.score if score is None and before else score
    return stands is not None and abs(finding.estimate.score - stands) > NOTICEABLE


def _has_moved(before: Told | None, finding: Finding) -> bool:
    return before is None or before.score is None or abs(before.score - finding.estimate.score) > NOTICEABLE


def _heard_lately(diagnoses: Iterable[Any]) -> set[Any]:
    recent = DiagnosisEvent.objects.filter(
        diagnosis__in=list(diagnoses), type=EffectivenessUpdate.type, created_at__gt=timezone.now() - QUIET
    )
    return set(recent.values_list("diagnosis", flat=True))


def _told(subjects: Iterable[Subject]) -> Mapping[Subject, Told]:
    rows = Told.objects.filter(kind=Kind.REMEDY_CONDITION, key__in=[subject.key for subject in subjects])
    return {Subject(Kind.REMEDY_CONDITION, row.key): row for row in rows}


def _as_told(finding: Finding, **values: Any) -> Told:
    return Told(kind=finding.subject.kind, key=finding.subject.key, **values)


def _remember(rows: Sequence[Told], *names: str) -> None:
    """Writes the named fields, also of those that were told already."""
    Told.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["kind", "key"], update_fields=names, batch_size=CHUNK
    )


def _portions(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    rest = iter(rows)
    while some := list(islice(rest, size)):
        yield some
