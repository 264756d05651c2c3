from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.access import Act, Resource, may
from analytics import ranking, reports
from analytics.evidence import WINDOW_DAYS
from analytics.ranking import DEFAULT_LIMIT, MAX_LIMIT, MIN_SAMPLES
from analytics.series import Day
from analytics.summary import ClinicSummary
from diagnoses.models import Recommendation

# How many recommendations may be recalculated at once.
RECALCULATED = 100


class EstimateSerializer(serializers.Serializer[Any]):
    effectiveness_score = serializers.FloatField(source="score", help_text="posterior mean success probability")
    interval = serializers.ListField(child=serializers.FloatField(), help_text="95 %, equal tails")
    confidence = serializers.FloatField(help_text="1 - width of the interval")
    sample_size = serializers.IntegerField(help_text="reports in the last 90 days")
    success_rate = serializers.FloatField(allow_null=True, help_text="share of reports with a rating of 3 or more")


class FindingSerializer(EstimateSerializer):
    effectiveness_score = serializers.FloatField(source="estimate.score")
    interval = serializers.ListField(child=serializers.FloatField(), source="estimate.interval")
    confidence = serializers.FloatField(source="estimate.confidence")
    sample_size = serializers.IntegerField(source="estimate.sample_size")
    success_rate = serializers.FloatField(source="estimate.success_rate", allow_null=True)
    average_rating = serializers.FloatField(allow_null=True)
    average_improvement = serializers.FloatField(allow_null=True)
    average_compliance = serializers.FloatField(allow_null=True)
    side_effect_rate = serializers.FloatField(allow_null=True, help_text="share of reports with a side effect")
    severe_rate = serializers.FloatField(allow_null=True, help_text="share of reports with a severe one (4 or 5 of 5)")
    trend = serializers.ChoiceField(choices=["improving", "declining", "stable", "new"])
    trend_probability = serializers.FloatField(allow_null=True, help_text="that the success rate rose")


class DaySerializer(serializers.Serializer[Any]):
    """The reports of one day; days without any are left out."""

    day = serializers.DateField()
    reports = serializers.IntegerField(source="sums.n")
    successes = serializers.IntegerField(source="sums.successes")
    average_rating = serializers.SerializerMethodField()
    side_effects = serializers.IntegerField(source="sums.side_effects", help_text="reports that mention one")

    def get_average_rating(self, row: Day) -> float:
        return row.sums.rating_sum / row.sums.n


class RecommendationReportSerializer(FindingSerializer):
    daily = DaySerializer(many=True)

    def to_representation(self, report: reports.RecommendationReport) -> dict[str, Any]:
        return {**FindingSerializer(report.finding).data, "daily": DaySerializer(report.daily, many=True).data}


class RankedRemedySerializer(serializers.Serializer[Any]):
    remedy = serializers.CharField(source="remedy.slug")
    remedy_name = serializers.CharField(source="remedy.name")
    kind = serializers.CharField(source="remedy.kind")
    effectiveness = FindingSerializer(source="finding")


class AlertedRemedySerializer(RankedRemedySerializer):
    alert = serializers.SerializerMethodField()

    def get_alert(self, row: ranking.RankedRemedy) -> str:
        return str(ranking.alert(row))


class MizajFindingSerializer(serializers.Serializer[Any]):
    mizaj = serializers.CharField()
    mizaj_name = serializers.CharField()
    effectiveness = FindingSerializer()


class ConditionFindingSerializer(serializers.Serializer[Any]):
    condition = serializers.CharField()
    condition_name = serializers.CharField()
    effectiveness = FindingSerializer()


class RemedyReportSerializer(serializers.Serializer[Any]):
    remedy = serializers.CharField(source="remedy.slug")
    remedy_name = serializers.CharField(source="remedy.name")
    effectiveness = FindingSerializer(
        source="finding", allow_null=True, help_text="null while fewer than 5 patients reported"
    )
    by_mizaj = serializers.SerializerMethodField()
    by_condition = serializers.SerializerMethodField()

    def get_by_mizaj(self, report: reports.RemedyReport) -> MizajFindingSerializer(many=True):  # type: ignore[valid-type]  # drf-spectacular reads it
        rows = [
            {"mizaj": mizaj.value, "mizaj_name": mizaj.label, "effectiveness": finding}
            for mizaj, finding in report.by_mizaj.items()
        ]
        return MizajFindingSerializer(rows, many=True).data

    def get_by_condition(self, report: reports.RemedyReport) -> ConditionFindingSerializer(many=True):  # type: ignore[valid-type]  # drf-spectacular reads it
        rows = [
            {"condition": condition.slug, "condition_name": condition.name, "effectiveness": finding}
            for condition, finding in report.by_condition.items()
        ]
        return ConditionFindingSerializer(rows, many=True).data


class ConditionReportSerializer(serializers.Serializer[Any]):
    condition = serializers.CharField(source="condition.slug")
    condition_name = serializers.CharField(source="condition.name")
    effectiveness = FindingSerializer(source="finding", allow_null=True)
    remedies = RankedRemedySerializer(many=True)


class RecommendationFindingSerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField()
    remedy = serializers.CharField()
    remedy_name = serializers.CharField()
    effectiveness = FindingSerializer()


class DiagnosisReportSerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField(source="diagnosis.pk")
    overall = EstimateSerializer()
    recommendations = serializers.SerializerMethodField()
    daily = DaySerializer(many=True)

    def get_recommendations(self, report: reports.DiagnosisReport) -> RecommendationFindingSerializer(many=True):  # type: ignore[valid-type]  # drf-spectacular reads it
        rows = [
            {
                "recommendation": recommendation.pk,
                "remedy": recommendation.remedy.slug,
                "remedy_name": recommendation.remedy.name,
                "effectiveness": finding,
            }
            for recommendation, finding in report.recommendations
        ]
        return RecommendationFindingSerializer(rows, many=True).data


class OverallSerializer(serializers.Serializer[Any]):
    diagnosis = serializers.UUIDField()
    overall = EstimateSerializer()


class ClinicSummarySerializer(FindingSerializer):
    """All reports together and what staff should look at; remedies only where five patients stand behind them."""

    patients = serializers.IntegerField(help_text="who reported in the window")
    reports = serializers.IntegerField(help_text="in the window")
    reports_before = serializers.IntegerField(allow_null=True, help_text="in as many days before; null for all time")
    daily = DaySerializer(many=True)
    best = RankedRemedySerializer(many=True, help_text="three, by the lower end of the interval")
    worst = AlertedRemedySerializer(many=True, help_text="three others, by the upper end of the interval")
    moving = RankedRemedySerializer(many=True, help_text="whose success rate surely rose or fell, the surest first")
    open_severe_side_effects = serializers.IntegerField(help_text="severe side effects that nobody has looked at")
    active_diagnoses = serializers.IntegerField()
    silent_recommendations = serializers.IntegerField(
        help_text="active for at least 14 days, without a report in the last 14"
    )

    def to_representation(self, summary: ClinicSummary) -> dict[str, Any]:
        return {
            **FindingSerializer(summary.finding).data,
            "patients": summary.patients,
            "reports": summary.reports,
            "reports_before": summary.reports_before,
            "daily": DaySerializer(summary.daily, many=True).data,
            "best": RankedRemedySerializer(summary.best, many=True).data,
            "worst": AlertedRemedySerializer(summary.worst, many=True).data,
            "moving": RankedRemedySerializer(summary.moving, many=True).data,
            "open_severe_side_effects": summary.open_severe_side_effects,
            "active_diagnoses": summary.active_diagnoses,
            "silent_recommendations": summary.silent_recommendations,
        }


class WindowField(serializers.ChoiceField):
    """Which days count; what comes out is their number, None for all time."""

    def __init__(self) -> None:
        super().__init__(choices=list(reports.WINDOWS), default=WINDOW_DAYS, help_text="days that count", source="days")

    def to_internal_value(self, data: Any) -> int | None:  # type: ignore[override]  # the stubs know only words
        return reports.WINDOWS[super().to_internal_value(data)]


class WindowSerializer(serializers.Serializer[Any]):
    window = WindowField()


class ClinicSummaryQuerySerializer(WindowSerializer):
    min_samples = serializers.IntegerField(min_value=MIN_SAMPLES, max_value=1_000_000, default=MIN_SAMPLES)


class PublicWindowSerializer(WindowSerializer):
    """Everybody sees the usual window only: two windows, one within the other, would tell about the days between."""

    def validate_window(self, days: int | None) -> int | None:
        if days != WINDOW_DAYS and not may(self.context["request"].user, Act.READ, Resource.FIGURES, "other_windows"):
            raise serializers.ValidationError(_("Only the clinic may ask for other days than the last 90."))
        return days


class ListQuerySerializer(PublicWindowSerializer):
    limit = serializers.IntegerField(min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)
    min_samples = serializers.IntegerField(min_value=MIN_SAMPLES, max_value=1_000_000, default=MIN_SAMPLES)


class RecalculationSerializer(serializers.Serializer[Any]):
    """Up to RECALCULATED recommendations, each one that the caller may see."""

    recommendations = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=RECALCULATED)

    def validate_recommendations(self, ids: list[UUID]) -> list[Recommendation]:
        recommendations = Recommendation.objects.visible_to(self.context["request"].user)
        visible = recommendations.select_related("diagnosis").in_bulk(ids)
        if missing := [f"{pk}" for pk in ids if pk not in visible]:
            raise serializers.ValidationError([_("There is no recommendation %(id)s.") % {"id": pk} for pk in missing])
        return list(visible.values())


class RescoredSerializer(serializers.Serializer[Any]):
    recommendation = serializers.UUIDField(source="recommendation.pk")
    remedy = serializers.CharField(source="recommendation.remedy.slug")
    previous_score = serializers.FloatField(source="previous", allow_null=True)
    effectiveness = FindingSerializer(source="finding")
