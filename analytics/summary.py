"""The clinic at a glance, for its staff: one call, a fixed number of queries, however much was reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from analytics import evidence, ranking
from analytics.evidence import WINDOW_DAYS, Finding, window_start
from analytics.models import SubjectPatient
from analytics.ranking import DEFAULT_LIMIT, MIN_SAMPLES, RankedRemedy
from analytics.series import Day, daily
from analytics.subjects import EVERYTHING
from diagnoses.models import Diagnosis, Recommendation
from feedback.models import Feedback, SevereFlag

SHOWN = 3
# A recommendation that nobody reports on for so long may have been given up.
SILENT_DAYS = 14
REMEMBERED_SECONDS = 60


@dataclass(frozen=True)
class ClinicSummary:
    """`reports_before` are those of as many days before the window, None for all time; `worst` holds none of `best`.

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
    open_severe_side_effects: int
    active_diagnoses: int
    silent_recommendations: int


def summarize(*, days: int | None = WINDOW_DAYS, min_samples: int = MIN_SAMPLES) -> ClinicSummary:
    """`days` is the window, None all time; remedies are listed from `min_samples` reports and five patients on."""
    finding = evidence.find([EVERYTHING], evidence.collect([EVERYTHING], days))
    before, within = _days(days)
    compared = ranking.compare(min_samples, days)
    best = ranking.best_first(compared)[:SHOWN]
    worst = [finding for finding in ranking.worst_first(compared) if finding not in best][:SHOWN]
    rows = ranking.named([*best, *worst, *ranking.moving(compared)[:DEFAULT_LIMIT]])
    return ClinicSummary(
        finding=finding,
        patients=_remembered(f"patients:{days}", lambda: _patients(days)),
        reports=finding.estimate.sample_size,
        reports_before=None if days is None else sum(day.sums.n for day in before),
        daily=within,
        best=rows[: len(best)],
        worst=rows[len(best) : len(best) + len(worst)],
        moving=rows[len(best) + len(worst) :],
        open_severe_side_effects=SevereFlag.objects.standing().filter(looked_at=None).count(),
        active_diagnoses=_remembered("diagnoses", Diagnosis.objects.filter(status=Diagnosis.Status.ACTIVE).count),
        silent_recommendations=_remembered("recommendations", _silent().count),
    )


def _remembered(name: str, count: Callable[[], int]) -> int:
    """To count a large clinic takes a second; nobody needs these figures to the minute."""
    try:
        return int(cache.get_or_set(f"analytics.summary:{name}", count, REMEMBERED_SECONDS) or 0)
    except RedisError:  # staff still get their page
        return count()


def _days(days: int | None) -> tuple[list[Day], list[Day]]:
    """The days before the window, as many as it has, and those within it."""
    found = daily([EVERYTHING], days and 2 * days)
    start = window_start(days)
    return [day for day in found if day.day < start], [day for day in found if day.day >= start]


def _patients(days: int | None) -> int:
    seen = SubjectPatient.objects.filter(kind=EVERYTHING.kind, key=EVERYTHING.key, last_day__gte=window_start(days))
    return seen.count()


def _silent() -> QuerySet[Recommendation]:
    """Active ones, given SILENT_DAYS ago or earlier, with no report since."""
    since = timezone.now() - timedelta(days=SILENT_DAYS)
    lately = Feedback.objects.standing().filter(recommendation=OuterRef("pk"), created_at__gte=since)
    active = Recommendation.objects.active().filter(diagnosis__status=Diagnosis.Status.ACTIVE, created_at__lt=since)
    return active.filter(~Exists(lately))
