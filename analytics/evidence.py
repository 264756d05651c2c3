"""Reads the rollups: what is known about a subject, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Self

from django.db import connection
from django.utils import timezone

from analytics.effectiveness import PRIOR_STRENGTH, Counts, Estimate, Trend, estimates, trends
from analytics.models import EffectivenessRollup, FittedPrior
from analytics.rollups import COLUMNS, Sums
from analytics.subjects import Kind, Subject
from avicenna.metrics import analytics_calculations, analytics_duration
from avicenna.sql import Row, Statement, run

WINDOW_DAYS = 90
RECENT_DAYS = 30


@dataclass(frozen=True)
class Evidence:
    """The sums of one subject over a window, and the two stretches that its trend compares.

    `recent` are the newest RECENT_DAYS, `before` the rest of WINDOW_DAYS, whatever the window. `strength` is that of
    the prior.
    """

    window: Sums = field(default_factory=Sums)
    recent: Counts = field(default_factory=Counts)
    before: Counts = field(default_factory=Counts)
    strength: float = PRIOR_STRENGTH

    @property
    def counts(self) -> Counts:
        return Counts(self.window.n, self.window.successes)

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            self.window + other.window, self.recent + other.recent, self.before + other.before, self.strength
        )

    @classmethod
    def of(cls, sums: Sums, day: date) -> Self:
        """What reports of one day add to the evidence of the usual window."""
        counts = Counts(sums.n, sums.successes)
        if day < window_start():
            return cls()
        return cls(sums, recent=counts) if day >= window_start(RECENT_DAYS) else cls(sums, before=counts)


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
    severe_rate: float | None


def window_start(days: int | None = WINDOW_DAYS, today: date | None = None) -> date:
    """The first day that still counts; None is all time."""
    return date.min if days is None else (today or timezone.localdate()) - timedelta(days=days - 1)


def collect(subjects: Iterable[Subject], days: int | None = WINDOW_DAYS) -> dict[Subject, Evidence]:
    """The evidence about each subject, in one query; a subject nobody reported on has empty sums."""
    wanted = list(dict.fromkeys(subjects))
    return collected(wanted, run(collecting(wanted, days))[0]) if wanted else {}


def collecting(subjects: Sequence[Subject], days: int | None = WINDOW_DAYS) -> Statement:
    """Asks for what `collected` reads, in the company of other statements. `subjects` are not empty."""
    keys: defaultdict[Kind, list[str]] = defaultdict(list)
    for subject in subjects:
        keys[subject.kind].append(subject.key)
    if connection.vendor == "postgresql":  # the same statement however many there are: it is planned once
        chosen = " OR ".join(["(kind = %s AND key = ANY(%s))"] * len(keys))
        return _sum(chosen, [value for kind, some in keys.items() for value in (kind.value, some)], days)
    chosen = " OR ".join(f"(kind = %s AND key IN ({', '.join(['%s'] * len(some))}))" for some in keys.values())
    return _sum(chosen, [value for kind, some in keys.items() for value in (kind.value, *some)], days)


def collected(subjects: Iterable[Subject], rows: Iterable[Row]) -> dict[Subject, Evidence]:
    found = _read(rows)
    return {subject: found.get(subject, Evidence()) for subject in subjects}


def collect_kind(
    kind: Kind, days: int | None = WINDOW_DAYS, *, and_also: Subject | None = None
) -> dict[Subject, Evidence]:
    """The evidence about every subject of a kind that was reported on in the window, in one query.

    `and_also` is one of another kind.
    """
    return collected_kind(run(collecting_kind(kind, days, and_also=and_also))[0])


def collecting_kind(kind: Kind, days: int | None = WINDOW_DAYS, *, and_also: Subject | None = None) -> Statement:
    """Asks for what `collected_kind` reads, in the company of other statements."""
    chosen = "kind = %s"
    values: list[Any] = [kind.value]
    if and_also:
        chosen += " OR (kind = %s AND key = %s)"
        values += [and_also.kind.value, and_also.key]
    return _sum(chosen, values, days)


def collected_kind(rows: Iterable[Row]) -> dict[Subject, Evidence]:
    return {subject: known for subject, known in _read(rows).items() if known.window.n}


# Written out: it runs in every feedback, where putting it together through the ORM cost half of the time. In no order:
# to sort ten thousand rollups by their keys, which are texts, takes longer than to sum them.
_SUM = f"""
    SELECT kind, key, {{sums}},
           {", ".join(f"SUM(CASE WHEN day >= %s THEN {column} ELSE 0 END)" for column in ("n", "successes"))},
           {{before}},
           (SELECT strength FROM {FittedPrior._meta.db_table} ORDER BY id DESC LIMIT 1)
    FROM {EffectivenessRollup._meta.db_table}
    WHERE day >= %s AND ({{chosen}})
    GROUP BY kind, key
"""
_WHOLE, _SINCE = "SUM({})", "SUM(CASE WHEN day >= %s THEN {} ELSE 0 END)"


def _sum(chosen: str, parameters: list[Any], days: int | None) -> Statement:
    """Columns that every row counts for are summed as they are, which takes two thirds of the time."""
    start, recent, before = window_start(days), window_start(RECENT_DAYS), window_start()
    first = min(start, before)
    limits: list[Any] = [start] * len(COLUMNS) if start > first else []
    limits += [recent, recent, *([before, before] if before > first else []), first]
    query = _SUM.format(
        sums=", ".join((_SINCE if start > first else _WHOLE).format(column) for column in COLUMNS),
        before=", ".join((_SINCE if before > first else _WHOLE).format(column) for column in ("n", "successes")),
        chosen=chosen,
    )
    return Statement(query, limits + parameters)


def _read(rows: Iterable[Row]) -> dict[Subject, Evidence]:
    return {Subject(Kind(kind), key): _evidence(row) for kind, key, *row in rows}


def _evidence(row: Row) -> Evidence:
    *sums, recent_n, recent_successes, n, successes, strength = row
    recent = Counts(recent_n, recent_successes)
    before = Counts(n, successes) - recent
    return Evidence(Sums(*sums), recent, before, PRIOR_STRENGTH if strength is None else strength)


def find(chain: Sequence[Subject], evidence: Mapping[Subject, Evidence]) -> Finding:
    """The finding about the last subject of `chain`; each subject of the chain contains the next."""
    return find_all([chain], evidence)[0]


@analytics_duration.time()
def find_all(chains: Sequence[Sequence[Subject]], evidence: Mapping[Subject, Evidence]) -> list[Finding]:
    """One for each chain; they begin with the same subject."""
    if not chains:
        return []
    analytics_calculations.inc(len(chains))
    levels = [[evidence.get(subject, Evidence()) for subject in chain] for chain in chains]
    strength = levels[0][0].strength
    results = estimates([[level.counts for level in nested] for nested in levels], strength)
    changes = [(nested[-1].recent, nested[-1].before) for nested in levels]
    moves = trends(changes, [result.score for result in results])
    return [
        _finding(chain[-1], result, move, nested[-1].window)
        for chain, result, move, nested in zip(chains, results, moves, levels, strict=True)
    ]


def _finding(subject: Subject, result: Estimate, move: tuple[Trend, float | None], sums: Sums) -> Finding:
    return Finding(
        subject=subject,
        estimate=result,
        trend=move[0],
        trend_probability=move[1],
        average_rating=_ratio(sums.rating_sum, sums.n),
        average_improvement=_ratio(sums.improvement_sum, sums.n),
        average_compliance=_ratio(sums.compliance_sum, sums.compliance_n),
        side_effect_rate=_ratio(sums.side_effects, sums.n),
        severe_rate=_ratio(sums.severe, sums.n),
    )


def _ratio(total: int, n: int) -> float | None:
    return total / n if n else None
