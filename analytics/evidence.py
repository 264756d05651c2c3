"""Reads the rollups: what is known about a subject, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from analytics.effectiveness import Counts, Estimate, Trend, estimate, trend
from analytics.models import EffectivenessRollup, SubjectPatient
from analytics.rollups import COLUMNS, Sums
from analytics.subjects import EVERYTHING, Kind, Subject
from avicenna.metrics import analytics_calculations, analytics_duration

WINDOW_DAYS = 90
RECENT_DAYS = 30
MIN_PATIENTS = 5


@dataclass(frozen=True)
class Evidence:
    """The sums of one subject over the window and over its newest RECENT_DAYS."""

    window: Sums = field(default_factory=Sums)
    recent: Sums = field(default_factory=Sums)

    @property
    def counts(self) -> Counts:
        return Counts(self.window.n, self.window.successes)

    @property
    def recent_counts(self) -> Counts:
        return Counts(self.recent.n, self.recent.successes)


@dataclass(frozen=True)
class Finding:
    """What is said about a subject. Averages are None without a report; `trend_probability` when there is no trend."""

    subject: Subject
    estimate: Estimate
    trend: Trend
    trend_probability: float | None
    average_rating: float | None
    average_improvement: float | None
    average_compliance: float | None
    side_effect_rate: float | None


def window_start(days: int = WINDOW_DAYS, today: date | None = None) -> date:
    """The first day that still counts."""
    return (today or timezone.localdate()) - timedelta(days=days - 1)


def collect(subjects: Iterable[Subject]) -> dict[Subject, Evidence]:
    """The evidence about each subject, in one query; a subject nobody reported on has empty sums."""
    wanted = list(dict.fromkeys(subjects))
    if not wanted:
        return {}
    chosen = " OR ".join(["(kind = %s AND key = %s)"] * len(wanted))
    found = _sum(chosen, [value for subject in wanted for value in (subject.kind.value, subject.key)])
    return {subject: found.get(subject, Evidence()) for subject in wanted}


def collect_kind(kind: Kind) -> dict[Subject, Evidence]:
    """The evidence about every subject of a kind that was reported on in the window, in one query."""
    return _sum("kind = %s", [kind.value])


def collect_prefix(kind: Kind, prefix: str) -> dict[Subject, Evidence]:
    """The parts of a subject: all `remedy:…` of one remedy by mizaj or condition."""
    return _sum("kind = %s AND key LIKE %s", [kind.value, f"{prefix}:%"])


def collect_suffix(kind: Kind, suffix: str) -> dict[Subject, Evidence]:
    """The same from the other side: all `…:condition` of one condition."""
    return _sum("kind = %s AND key LIKE %s", [kind.value, f"%:{suffix}"])


# Written out: it runs in every feedback, where putting it together through the ORM cost half of the time.
_SUM = f"""
    SELECT kind, key,
           {", ".join(f"SUM({column})" for column in COLUMNS)},
           {", ".join(f"SUM(CASE WHEN day >= %s THEN {column} ELSE 0 END)" for column in COLUMNS)}
    FROM {EffectivenessRollup._meta.db_table}
    WHERE day >= %s AND ({{chosen}})
    GROUP BY kind, key
    ORDER BY kind, key
"""


def _sum(chosen: str, parameters: list[Any]) -> dict[Subject, Evidence]:
    with connection.cursor() as cursor:
        recent: list[Any] = [window_start(RECENT_DAYS)] * len(COLUMNS)
        cursor.execute(_SUM.format(chosen=chosen), [*recent, window_start(), *parameters])
        rows = cursor.fetchall()
    width = len(COLUMNS)
    return {
        Subject(Kind(kind), key): Evidence(Sums(*map(int, sums[:width])), Sums(*map(int, sums[width:])))
        for kind, key, *sums in rows
    }


@analytics_duration.time()
def find(chain: Sequence[Subject], evidence: Mapping[Subject, Evidence]) -> Finding:
    """The finding about the last subject of `chain`; each subject of the chain contains the next."""
    analytics_calculations.inc()
    levels = [evidence.get(subject, Evidence()) for subject in chain]
    own = levels[-1]
    result = estimate([level.counts for level in levels])
    word, probability = trend(own.recent_counts, own.counts - own.recent_counts, result.score)
    sums = own.window
    return Finding(
        subject=chain[-1],
        estimate=result,
        trend=word,
        trend_probability=probability,
        average_rating=_ratio(sums.rating_sum, sums.n),
        average_improvement=_ratio(sums.improvement_sum, sums.n),
        average_compliance=_ratio(sums.compliance_sum, sums.compliance_n),
        side_effect_rate=_ratio(sums.side_effects, sums.n),
    )


def chain_to(subject: Subject) -> list[Subject]:
    """The ancestors of a shared subject, then the subject: design of the prior (docs/numbers.md)."""
    if subject.kind in (Kind.REMEDY_MIZAJ, Kind.REMEDY_CONDITION):
        return [EVERYTHING, Subject(Kind.REMEDY, subject.key.split(":")[0]), subject]
    return [EVERYTHING, subject] if subject != EVERYTHING else [EVERYTHING]


def count_patients(kind: Kind, keys: Iterable[str]) -> dict[Subject, int]:
    """How many patients reported in the window, for those with at least MIN_PATIENTS; the others are not told."""
    rows = SubjectPatient.objects.filter(kind=kind, key__in=list(keys), last_day__gte=window_start())
    counted = rows.values("key").annotate(patients=Count("pk")).filter(patients__gte=MIN_PATIENTS)
    return {Subject(kind, key): patients for key, patients in counted.values_list("key", "patients")}


def has_enough_patients(subject: Subject) -> bool:
    """Whether the subject may be described to the public; counts no further than MIN_PATIENTS."""
    rows = SubjectPatient.objects.filter(kind=subject.kind, key=subject.key, last_day__gte=window_start())
    return len(rows.values_list("pk")[:MIN_PATIENTS]) == MIN_PATIENTS


def _ratio(total: int, n: int) -> float | None:
    return total / n if n else None
