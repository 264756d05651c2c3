"""Recomputes the rollups from the feedback itself, to compare or to replace, and fits the prior to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction
from django.db.models import Sum

from analytics.fitting import fit_strength
from analytics.models import EffectivenessRollup, FittedPrior, SubjectPatient
from analytics.rollups import COLUMNS, Sums, day_of, shared
from analytics.subjects import Kind, Subject, subjects_of
from diagnoses.models import Recommendation
from feedback.models import Feedback

SubjectDay = tuple[Subject, date]
CHUNK = 2_000


@dataclass(frozen=True)
class Difference:
    """`stored` and `computed` are None where one side has no row."""

    what: str
    stored: object
    computed: object


@dataclass(frozen=True)
class Figures:
    rollups: dict[SubjectDay, Sums]
    patients: dict[tuple[Subject, UUID], date]


def compute() -> Figures:
    """From every standing report. Memory grows with subjects and days, not with reports."""
    rollups: dict[SubjectDay, Sums] = defaultdict(Sums)
    patients: dict[tuple[Subject, UUID], date] = {}
    for feedback in _standing():
        day, subjects = day_of(feedback.created_at), subjects_of(feedback)
        sums = Sums.of(feedback, [report.severity for report in feedback.side_effects.all()])
        for subject in subjects:
            rollups[subject, day] += sums
        for subject in shared(subjects):
            key = (subject, feedback.patient_id)
            patients[key] = max(patients.get(key, date.min), day)
    return Figures(dict(rollups), patients)


def stored() -> Figures:
    rollups = {
        (Subject(Kind(row.kind), row.key), row.day): Sums(*(getattr(row, column) for column in COLUMNS))
        for row in EffectivenessRollup.objects.iterator(CHUNK)
    }
    patients = {
        (Subject(Kind(row.kind), row.key), row.patient_id): row.last_day
        for row in SubjectPatient.objects.iterator(CHUNK)
    }
    # A day whose reports were all withdrawn keeps a row of zeros: the same as none.
    return Figures({key: sums for key, sums in rollups.items() if any(sums.values)}, patients)


@transaction.atomic
def check() -> list[Difference]:
    """Every difference between what is stored and what the feedback says; empty is how it should be."""
    have, want = stored(), compute()
    return [*_differences(have.rollups, want.rollups), *_differences(have.patients, want.patients)]


@transaction.atomic
def rebuild() -> int:
    """Replaces everything by what the feedback says; returns the number of rollups."""
    want = compute()
    EffectivenessRollup.objects.all().delete()
    SubjectPatient.objects.all().delete()
    EffectivenessRollup.objects.bulk_create(
        (
            EffectivenessRollup(
                kind=subject.kind, key=subject.key, day=day, **dict(zip(COLUMNS, sums.values, strict=True))
            )
            for (subject, day), sums in want.rollups.items()
        ),
        batch_size=CHUNK,
    )
    SubjectPatient.objects.bulk_create(
        (
            SubjectPatient(kind=subject.kind, key=subject.key, patient_id=patient, last_day=day)
            for (subject, patient), day in want.patients.items()
        ),
        batch_size=CHUNK,
    )
    return len(want.rollups)


def _standing() -> Iterator[Feedback]:
    reports = Feedback.objects.standing().select_related("recommendation", "diagnosis").defer("comment")
    return reports.prefetch_related("side_effects").iterator(CHUNK)


def _differences(have: Mapping[Any, object], want: Mapping[Any, object]) -> Iterator[Difference]:
    for key in sorted(have.keys() | want.keys(), key=str):
        if have.get(key) != want.get(key):
            yield Difference(str(key), have.get(key), want.get(key))


@transaction.atomic
def fit_prior() -> FittedPrior:
    """Fits the strength of the prior to all that was ever reported and uses it from then on.

    Remedies are compared with everything, a remedy for one condition with the remedy, a recommendation with its remedy
    for its condition. Raises ValueError while there is nothing to compare.
    """
    sums = {kind: _sums_of(kind) for kind in (Kind.EVERYTHING, Kind.REMEDY, Kind.REMEDY_CONDITION, Kind.RECOMMENDATION)}
    rows = [(own, sums[Kind.EVERYTHING].get("", (0, 0))) for own in sums[Kind.REMEDY].values()]
    rows += [(own, sums[Kind.REMEDY][key.split(":")[0]]) for key, own in sums[Kind.REMEDY_CONDITION].items()]
    pairs = Recommendation.objects.values_list("pk", "remedy_id", "diagnosis__condition_id")
    for pk, remedy, condition in pairs.iterator(CHUNK):
        if own := sums[Kind.RECOMMENDATION].get(pk.hex):
            rows.append((own, sums[Kind.REMEDY_CONDITION][f"{remedy}:{condition}"]))
    table = np.array(rows, dtype=float).reshape(-1, 4)
    strength = fit_strength(*table.T)
    return FittedPrior.objects.create(
        strength=strength, subjects=len(rows), reports=sums[Kind.EVERYTHING].get("", (0, 0))[0]
    )


def _sums_of(kind: Kind) -> dict[str, tuple[int, int]]:
    """Key → reports and successes of all time."""
    rows = EffectivenessRollup.objects.filter(kind=kind).order_by()
    summed = rows.values("key").annotate(reports=Sum("n"), good=Sum("successes")).filter(reports__gt=0)
    return {key: (n, k) for key, n, k in summed.values_list("key", "reports", "good").iterator(CHUNK)}
