"""What was reported on one recommendation or diagnosis, for the patient and the clinic: plain counts, no estimates."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from diagnoses.models import Diagnosis, Recommendation, SideEffect
from diagnoses.querysets import RecommendationQuerySet
from feedback.models import Feedback
from feedback.querysets import FeedbackQuerySet

DEFAULT_DAYS, MAX_DAYS = 30, 365


@dataclass
class EffectTally:
    """`reports` name the effect; `severest` is 1-5."""

    effect: SideEffect
    reports: int = 0
    severest: int = 0


@dataclass
class Summary:
    """All standing reports. Averages are None without one; `ratings` counts each of 1-5."""

    reports: int = 0
    ratings: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(1, 6), 0))
    average_rating: float | None = None
    average_improvement: float | None = None
    average_compliance: float | None = None
    side_effects: list[EffectTally] = field(default_factory=list)
    first_at: datetime | None = None
    last_at: datetime | None = None

    @classmethod
    def of(cls, reports: Iterable[Feedback]) -> Summary:
        reports = list(reports)
        times = [report.created_at for report in reports]
        return cls(
            reports=len(reports),
            ratings=dict.fromkeys(range(1, 6), 0) | Counter(report.rating for report in reports),
            average_rating=_mean(report.rating for report in reports),
            average_improvement=_mean(report.symptom_improvement for report in reports),
            average_compliance=_mean(report.compliance for report in reports if report.compliance is not None),
            side_effects=_tally(reports),
            first_at=min(times, default=None),
            last_at=max(times, default=None),
        )


@dataclass
class Overview:
    diagnosis: Diagnosis
    total: Summary
    recommendations: list[tuple[Recommendation, Summary]]


@dataclass
class Course:
    """The standing reports on one recommendation, oldest first."""

    recommendation: Recommendation
    reports: list[Feedback] = field(default_factory=list)


def summary_of(recommendation: Recommendation) -> Summary:
    return Summary.of(_standing().filter(recommendation=recommendation))


def overview_of(diagnosis: Diagnosis) -> Overview:
    """Every recommendation, also those nobody reported on."""
    reports = list(_standing().filter(diagnosis=diagnosis))
    by_recommendation: defaultdict[object, list[Feedback]] = defaultdict(list)
    for report in reports:
        by_recommendation[report.recommendation_id].append(report)
    recommendations = Recommendation.objects.for_list().filter(diagnosis=diagnosis)
    return Overview(
        diagnosis=diagnosis,
        total=Summary.of(reports),
        recommendations=[(r, Summary.of(by_recommendation[r.pk])) for r in recommendations],
    )


def courses_of(diagnosis: Diagnosis, days: int) -> list[Course]:
    """Every recommendation with its reports of the last `days` days, 1 to MAX_DAYS. Two queries."""
    since = timezone.now() - timedelta(days=days)
    courses = {row.pk: Course(row) for row in Recommendation.objects.for_list().filter(diagnosis=diagnosis)}
    reports = Feedback.objects.standing().filter(diagnosis=diagnosis, created_at__gte=since)
    for report in reports.defer("comment").order_by("created_at", "pk"):
        courses[report.recommendation_id].reports.append(report)
    return list(courses.values())


def due_for(user: User, since: datetime) -> RecommendationQuerySet:
    """One's own open recommendations in active diagnoses on which nothing was reported from `since` on."""
    reported = Feedback.objects.standing().filter(recommendation=OuterRef("pk"), created_at__gte=since)
    own = Recommendation.objects.filter(diagnosis__patient__user=user, diagnosis__status=Diagnosis.Status.ACTIVE)
    return own.active().exclude(Exists(reported)).for_list().select_related("diagnosis")


def _standing() -> FeedbackQuerySet:
    return Feedback.objects.standing().prefetch_related("side_effects__effect").defer("comment")


def _mean(values: Iterable[int]) -> float | None:
    values = list(values)
    return sum(values) / len(values) if values else None


def _tally(reports: Iterable[Feedback]) -> list[EffectTally]:
    """The severest first, then the most frequent."""
    tallies: dict[int, EffectTally] = {}
    for report in reports:
        for said in report.side_effects.all():
            tally = tallies.setdefault(said.effect_id, EffectTally(said.effect))
            tally.reports += 1
            tally.severest = max(tally.severest, said.severity)
    return sorted(tallies.values(), key=lambda tally: (-tally.severest, -tally.reports, tally.effect.slug))
