"""What the figures should be, by a plain loop over every report: slow, and independent of the SQL that it judges."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import NamedTuple
from uuid import UUID

from analytics.models import EffectivenessRollup, SubjectPatient
from analytics.rollups import COLUMNS, Sums, day_of, shared
from analytics.subjects import Kind, Subject, subjects_of
from feedback.models import Feedback

CHUNK = 2_000


class Figures(NamedTuple):
    rollups: dict[tuple[Subject, date], Sums]
    patients: dict[tuple[Subject, UUID], date]


def computed() -> Figures:
    rollups: dict[tuple[Subject, date], Sums] = defaultdict(Sums)
    patients: dict[tuple[Subject, UUID], date] = {}
    reports = Feedback.objects.standing().select_related("recommendation", "diagnosis").defer("comment")
    for feedback in reports.prefetch_related("side_effects").iterator(CHUNK):
        day, subjects = day_of(feedback.created_at), subjects_of(feedback)
        sums = Sums.of(feedback, [report.severity for report in feedback.side_effects.all()])
        for subject in subjects:
            rollups[subject, day] += sums
        for subject in shared(subjects):
            key = (subject, feedback.patient_id)
            patients[key] = max(patients.get(key, date.min), day)
    return Figures(dict(rollups), patients)


def stored() -> Figures:
    """A day whose reports were all withdrawn keeps a row of zeros: the same as none."""
    rollups = {}
    for row in EffectivenessRollup.objects.iterator(CHUNK):
        if any(sums := [getattr(row, column) for column in COLUMNS]):
            rollups[Subject(Kind(row.kind), row.key), row.day] = Sums(*sums)
    patients = {
        (Subject(Kind(row.kind), row.key), row.patient_id): row.last_day
        for row in SubjectPatient.objects.iterator(CHUNK)
    }
    return Figures(rollups, patients)
