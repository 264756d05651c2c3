"""The clinic at a glance, for its staff: one call, a fixed number of queries, however much was reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from analytics import evidence, ranking, series
from analytics.evidence import WINDOW_DAYS, Finding, window_start
from analytics.models import SubjectPatient
from analytics.ranking import DEFAULT_LIMIT, MIN_SAMPLES, RankedRemedy
from analytics.series import Day
from analytics.subjects import EVERYTHING, Kind
from avicenna.sql import run
from diagnoses.models import Diagnosis, Recommendation
from feedback.models import Feedback, SevereFlag

SHOWN = 3
# A recommendation that nobody reports on for so long may have been given up.
SILENT_DAYS = 14
REMEMBERED_SECONDS = 60


@dataclass(frozen=True)
class ClinicSummary:
    """`reports_before` are those of as many days before the window, None for all time; `worst` holds none of `best`.
    `scores` are those of all remedies that may be described, in no order.

    Patients, diagnoses and recommendations are counted once a minute.
    """

    finding: Finding
    patients: int
    reports: int
    reports_before: int | None
    daily: list[Day]
    best: list[RankedRemedy]
    worst: list[RankedRemedy]
    moving: list[RankedRemedy]
    scores: list[float]
    open_severe_side_effects: int
    active_diagnoses: int
    silent_recommendations: int


def summarize(*, days: int | None = WINDOW_DAYS, min_samples: int = MIN_SAMPLES) -> ClinicSummary:
    """`days` is the window, None all time; remedies are listed from `min_samples` reports and five patients on."""
    rows, per_day = run(
        evidence.collecting_kind(Kind.REMEDY, days, and_also=EVERYTHING),
        series.per_day([EVERYTHING], days and 2 * days),
    )
    known, all_days, start = evidence.collected_kind(rows), series.days_of(per_day), window_start(days)
    finding = evidence.find([EVERYTHING], known)
    compared = ranking.compare(min_samples, days, known)
    best = ranking.best_first(compared)[:SHOWN]
    worst = [finding for finding in ranking.worst_first(compared)[: 2 * SHOWN] if finding not in best][:SHOWN]
    named = ranking.named([*best, *worst, *ranking.moving(compared)[:DEFAULT_LIMIT]])
    counts = _remembered(
        {
            f"patients:{days}": _reported(days).count,
            "diagnoses": Diagnosis.objects.filter(status=Diagnosis.Status.ACTIVE).count,
            "recommendations": lambda: _silent().count(),
        }
    )
    return ClinicSummary(
        finding=finding,
        patients=counts[f"patients:{days}"],
        reports=finding.estimate.sample_size,
        reports_before=None if days is None else sum(day.sums.n for day in all_days if day.day < start),
        daily=[day for day in all_days if day.day >= start],
        best=named[: len(best)],
        worst=named[len(best) : len(best) + len(worst)],
        moving=named[len(best) + len(worst) :],
        scores=[found.estimate.score for found in compared],
        open_severe_side_effects=SevereFlag.objects.standing().filter(looked_at=None).count(),
        active_diagnoses=counts["diagnoses"],
        silent_recommendations=counts["recommendations"],
    )


def _remembered(counts: Mapping[str, Callable[[], int]]) -> dict[str, int]:
    """To count a large clinic takes a second; nobody needs these figures to the minute."""
    keys = {f"analytics.summary:{name}": name for name in counts}
    try:
        found = {keys[key]: int(count) for key, count in cache.get_many(keys).items()}
        if missing := {name: counts[name]() for name in counts if name not in found}:
            cache.set_many({key: missing[name] for key, name in keys.items() if name in missing}, REMEMBERED_SECONDS)
        return found | missing
    except RedisError:  # staff still get their page
        return {name: count() for name, count in counts.items()}


def _reported(days: int | None) -> QuerySet[SubjectPatient]:
    return SubjectPatient.objects.filter(kind=EVERYTHING.kind, key=EVERYTHING.key, last_day__gte=window_start(days))


def _silent() -> QuerySet[Recommendation]:
    """Active ones, given SILENT_DAYS ago or earlier, with no report since."""
    since = timezone.now() - timedelta(days=SILENT_DAYS)
    lately = Feedback.objects.standing().filter(recommendation=OuterRef("pk"), created_at__gte=since)
    active = Recommendation.objects.active().filter(diagnosis__status=Diagnosis.Status.ACTIVE, created_at__lt=since)
    return active.filter(~Exists(lately))
