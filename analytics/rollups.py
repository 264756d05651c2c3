"""Keeps the rollups in step with feedback, inside the feedback's own transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import add, sub
from uuid import UUID

from django.db.models import F, Q
from django.utils import timezone

from analytics.models import EffectivenessRollup, SubjectPatient
from analytics.subjects import Kind, Subject, subjects_of
from avicenna.sql import ADD, GREATER, Statement, upsert
from feedback.models import SEVERE, Feedback


@dataclass(frozen=True)
class Sums:
    """What a report adds to each of its subjects; the names are those of the rollup's columns."""

    n: int = 0
    successes: int = 0
    rating_sum: int = 0
    improvement_sum: int = 0
    compliance_n: int = 0
    compliance_sum: int = 0
    side_effects: int = 0
    severe: int = 0

    @classmethod
    def of(cls, feedback: Feedback, severities: Iterable[int]) -> Sums:
        severities = list(severities)
        return cls(
            n=1,
            successes=int(feedback.is_success),
            rating_sum=feedback.rating,
            improvement_sum=feedback.symptom_improvement,
            compliance_n=int(feedback.compliance is not None),
            compliance_sum=feedback.compliance or 0,
            side_effects=int(bool(severities)),
            severe=int(any(severity >= SEVERE for severity in severities)),
        )

    @property
    def values(self) -> tuple[int, ...]:
        """In the order of COLUMNS; `astuple` would copy deeply."""
        return tuple(vars(self).values())

    def __add__(self, other: Sums) -> Sums:
        return Sums(*map(add, self.values, other.values))

    def __sub__(self, other: Sums) -> Sums:
        return Sums(*map(sub, self.values, other.values))


COLUMNS = [field.name for field in fields(Sums)]


def day_of(moment: datetime) -> date:
    """The clinic's calendar day."""
    return timezone.localdate(moment)


def count_in(reports: Mapping[Feedback, Sums]) -> list[Statement]:
    """New reports: what raises the figures of their subjects and names the patients behind them, in writing order."""
    sums: defaultdict[tuple[Subject, date], Sums] = defaultdict(Sums)
    patients: dict[tuple[Subject, UUID], date] = {}
    for feedback, adds in reports.items():
        subjects, day = subjects_of(feedback), day_of(feedback.created_at)
        for subject in subjects:
            sums[subject, day] += adds
        for subject in shared(subjects):
            key = (subject, feedback.patient_id)
            patients[key] = max(patients.get(key, day), day)
    raised = [[subject.kind.value, subject.key, day, *sums[subject, day].values] for subject, day in sorted(sums)]
    behind = [
        [subject.kind.value, subject.key, patient, patients[subject, patient]] for subject, patient in sorted(patients)
    ]
    return [
        *upsert(EffectivenessRollup, ["kind", "key", "day"], COLUMNS, raised, ADD),
        *upsert(SubjectPatient, ["kind", "key", "patient"], ["last_day"], behind, GREATER),
    ]


def adjust(feedback: Feedback, before: Sums, after: Sums) -> None:
    """A changed report: moves the difference, on the day it was first given."""
    difference = dict(zip(COLUMNS, (after - before).values, strict=True))
    changes = {column: F(column) + by for column, by in difference.items() if by}
    if not changes:
        return
    for subject in subjects_of(feedback):
        EffectivenessRollup.objects.filter(kind=subject.kind, key=subject.key, day=day_of(feedback.created_at)).update(
            **changes
        )


def count_out(feedback: Feedback, sums: Sums) -> None:
    """A withdrawn report: takes it out of every subject, and the patient where nothing else of theirs remains."""
    adjust(feedback, before=sums, after=Sums())
    rows = _patient_rows(feedback)
    remaining: dict[Subject, date] = {}
    counted = Feedback.objects.counted().filter(patient=feedback.patient_id).exclude(pk=feedback.pk)
    for other in counted.select_related("recommendation", "diagnosis"):
        for subject in subjects_of(other):
            remaining[subject] = max(remaining.get(subject, date.min), day_of(other.created_at))
    for row in rows:
        subject = Subject(Kind(row.kind), row.key)
        if subject in remaining:
            row.last_day = remaining[subject]
            row.save(update_fields=["last_day"])
        else:
            row.delete()


def count_out_patient(patient_id: UUID, reports: Mapping[Feedback, Sums]) -> None:
    """All `reports` of a patient, who is behind no figure then. In writing order, like `count_in`."""
    sums: defaultdict[tuple[Subject, date], Sums] = defaultdict(Sums)
    for feedback, takes in reports.items():
        for subject in subjects_of(feedback):
            sums[subject, day_of(feedback.created_at)] += takes
    for subject, day in sorted(sums):
        changes = {column: F(column) - by for column, by in zip(COLUMNS, sums[subject, day].values, strict=True) if by}
        EffectivenessRollup.objects.filter(kind=subject.kind, key=subject.key, day=day).update(**changes)
    SubjectPatient.objects.filter(patient=patient_id).delete()


def _patient_rows(feedback: Feedback) -> list[SubjectPatient]:
    """Locked, in writing order: what the patient reports on another diagnosis meanwhile counts before or after."""
    chosen = Q(pk__in=[])
    for subject in shared(subjects_of(feedback)):
        chosen |= Q(kind=subject.kind, key=subject.key)
    rows = SubjectPatient.objects.filter(chosen, patient=feedback.patient_id).order_by("kind", "key")
    return list(rows.select_for_update())


def shared(subjects: list[Subject]) -> list[Subject]:
    """A recommendation always stands for one patient: nothing to count there."""
    return [subject for subject in subjects if subject.kind is not Kind.RECOMMENDATION]
