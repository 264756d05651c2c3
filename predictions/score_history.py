"""How the effectiveness of a diagnosis's open recommendations moved from day to day, and their order with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

import numpy as np
from django.db.models import Q
from django.utils import timezone
from numpy.typing import NDArray

from analytics import evidence
from analytics.effectiveness import Counts, Estimate, estimates
from analytics.evidence import WINDOW_DAYS
from analytics.models import EffectivenessRollup
from analytics.rollups import day_of
from analytics.subjects import EVERYTHING, Subject, chain_of_recommendation
from diagnoses.models import Diagnosis, Recommendation
from predictions.ranking import Candidates

DEFAULT_DAYS, MAX_DAYS = 30, 365

# One row per subject, one column per day.
Daily = NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """The end of a day: the estimate from the 90 days until then; `rank` 1 is the best of those given by then."""

    day: date
    estimate: Estimate
    rank: int


@dataclass(frozen=True)
class Course:
    """One open recommendation from the day it was given, or from the first day asked for; oldest first."""

    recommendation: Recommendation
    points: list[Point]


@dataclass(frozen=True)
class History:
    """Of what the reports say now: one that was withdrawn or changed is so in the past as well."""

    diagnosis: Diagnosis
    days: int
    courses: list[Course]


def history_of(candidates: Candidates, days: int) -> History:
    """The last `days` days, 1 to MAX_DAYS, today included. Two queries."""
    diagnosis, rows = candidates.diagnosis, candidates.recommendations
    chains = {row.pk: chain_of_recommendation(row.pk, row.remedy_id, diagnosis.condition_id) for row in rows}
    today = timezone.localdate()
    span = [today - timedelta(days=ago) for ago in reversed(range(days))]
    given = [(row, day) for day in span for row in rows if day_of(row.created_at) <= day]
    counts = _counts(list(dict.fromkeys(chain.from_iterable(chains.values()))), span)
    strength = evidence.collect([EVERYTHING])[EVERYTHING].strength
    found = estimates([[counts[subject, day] for subject in chains[row.pk]] for row, day in given], strength)
    known = {(row.pk, day): estimate for (row, day), estimate in zip(given, found, strict=True)}
    courses = {row.pk: Course(row, []) for row in rows}
    for day in span:
        scored = [(row, known[row.pk, day]) for row in rows if (row.pk, day) in known]
        best_first = sorted(scored, key=lambda pair: (-pair[1].score, str(pair[0].pk)))
        for rank, (row, estimate) in enumerate(best_first, 1):
            courses[row.pk].points.append(Point(day, estimate, rank))
    return History(diagnosis, days, list(courses.values()))


def _counts(subjects: Sequence[Subject], span: Sequence[date]) -> dict[tuple[Subject, date], Counts]:
    """What was reported on each subject in the 90 days until the end of each day of `span`. One query."""
    first = span[0] - timedelta(days=WINDOW_DAYS - 1)
    chosen = Q(pk__in=[])
    for subject in subjects:
        chosen |= Q(kind=subject.kind, key=subject.key)
    places = {(subject.kind.value, subject.key): place for place, subject in enumerate(subjects)}
    n, successes = np.zeros((2, len(subjects), WINDOW_DAYS + len(span)), dtype=np.int64)
    rows = EffectivenessRollup.objects.filter(chosen, n__gt=0, day__range=(first, span[-1]))
    for kind, key, day, reports, good in rows.values_list("kind", "key", "day", "n", "successes"):
        place = places[kind, key], (day - first).days + 1
        n[place], successes[place] = reports, good
    return {
        (subject, day): Counts(int(n_until), int(good_until))
        for subject, of_n, of_good in zip(subjects, _windows(n), _windows(successes), strict=True)
        for day, n_until, good_until in zip(span, of_n, of_good, strict=True)
    }


def _windows(daily: Daily) -> Daily:
    """The sums of WINDOW_DAYS columns until each column; the first one is empty."""
    until = daily.cumsum(axis=1)
    windows: Daily = until[:, WINDOW_DAYS:] - until[:, :-WINDOW_DAYS]
    return windows
