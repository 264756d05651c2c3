"""Reads the rollups along the days: what was reported about a subject, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.utils import timezone

from analytics import evidence
from analytics.effectiveness import Counts, Estimate, estimate
from analytics.evidence import RECENT_DAYS, WINDOW_DAYS, window_start
from analytics.models import EffectivenessRollup, SubjectPatient
from analytics.privacy import MIN_PATIENTS
from analytics.rollups import COLUMNS, Sums, day_of
from analytics.subjects import EVERYTHING, Subject
from avicenna.sql import Row, Statement, run
from diagnoses.models import Remedy
from feedback.models import Feedback

SAMPLE = 200

Span = tuple[date, date]


class Day(NamedTuple):
    day: date
    sums: Sums


@dataclass(frozen=True)
class Stretch:
    """The days `first` to `last`, both counted. `estimate` is None where nobody reported."""

    first: date
    last: date
    estimate: Estimate | None


def daily(subjects: Iterable[Subject], days: int | None = WINDOW_DAYS) -> list[Day]:
    """What was reported on each of the last `days` days, oldest first; days without reports are left out. One query.

    Several subjects are summed, so they must not contain each other. Not for the public: a day may be one patient's.
    """
    wanted = list(subjects)
    return days_of(run(per_day(wanted, days))[0]) if wanted else []


def per_day(subjects: Sequence[Subject], days: int | None = WINDOW_DAYS) -> Statement:
    """Asks for what `days_of` reads, in the company of other statements. `subjects` are not empty."""
    return Statement(
        f"SELECT day, {', '.join(f'SUM({column})' for column in COLUMNS)} FROM {EffectivenessRollup._meta.db_table} "
        f"WHERE n > 0 AND day >= %s AND ({' OR '.join(['(kind = %s AND key = %s)'] * len(subjects))}) "
        "GROUP BY day ORDER BY day",
        [window_start(days), *(value for subject in subjects for value in (subject.kind.value, subject.key))],
    )


def days_of(rows: Iterable[Row]) -> list[Day]:
    # SQLite has dates as texts.
    return [Day(day if isinstance(day, date) else date.fromisoformat(day), Sums(*sums)) for day, *sums in rows]


def stretches(remedy: Remedy) -> list[Stretch]:
    """The 90 days in three stretches of 30, oldest first, for everybody to see; empty where that would tell too much.

    Each stretch with reports must be about five patients. They share no report, so that every sum or difference of
    them is again a set of whole stretches. Each is estimated as a child of the remedy, which is informed by everything
    (docs/numbers.md).
    """
    subject, spans = Subject.remedy(remedy.pk), _spans(timezone.localdate())
    patients = _patients_at_least(remedy, subject, spans)
    days = daily([subject])
    counts = [_counts(days, span) for span in spans]
    if any(own.n and seen < MIN_PATIENTS for own, seen in zip(counts, patients, strict=True)):
        return []
    # After the days: a report that arrives in between makes the whole larger, never a part larger than its whole.
    everything = evidence.collect([EVERYTHING])[EVERYTHING]
    above = [everything.counts, sum(counts, Counts())]
    return [
        Stretch(*span, estimate([*above, own], everything.strength) if own.n else None)
        for span, own in zip(spans, counts, strict=True)
    ]


def _spans(today: date) -> list[Span]:
    """The first and the last day of each stretch, oldest first; the newest ends today."""
    ends = [today - timedelta(days=ago) for ago in range(0, WINDOW_DAYS, RECENT_DAYS)]
    return [(last - timedelta(days=RECENT_DAYS - 1), last) for last in reversed(ends)]


def _patients_at_least(remedy: Remedy, subject: Subject, spans: list[Span]) -> list[int]:
    """How many patients reported in each of the spans, counted among SAMPLE of them: it costs the same at any size."""
    seen = SubjectPatient.objects.filter(kind=subject.kind, key=subject.key, last_day__gte=spans[0][0])
    reports = Feedback.objects.counted().filter(
        patient__in=list(seen.values_list("patient", flat=True)[:SAMPLE]), recommendation__remedy=remedy
    )
    moments = [(patient, day_of(at)) for patient, at in reports.values_list("patient", "created_at")]
    return [len({patient for patient, day in moments if first <= day <= last}) for first, last in spans]


def _counts(days: list[Day], span: Span) -> Counts:
    first, last = span
    own = [sums for day, sums in days if first <= day <= last]
    return Counts(sum(sums.n for sums in own), sum(sums.successes for sums in own))
