from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast
from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.access import Act, Resource
from accounts.models import User
from analytics import actions, ranking, reports, series
from analytics.charts import remedy_chart
from analytics.ranking import RankedRemedy
from analytics.serializers import (
    AlertedRemedySerializer,
    ClinicSummaryQuerySerializer,
    ClinicSummarySerializer,
    ConditionReportSerializer,
    DiagnosisReportSerializer,
    ListQuerySerializer,
    OverallSerializer,
    PublicWindowSerializer,
    RankedRemedySerializer,
    RecalculationSerializer,
    RecommendationReportSerializer,
    RemedyReportSerializer,
    RescoredSerializer,
    WindowSerializer,
)
from analytics.summary import summarize
from audit import trail
from audit.models import Kind
from avicenna.openapi import ErrorSerializer
from avicenna.permissions import allowed
from avicenna.pictures import PictureQuerySerializer, PictureView, picture
from avicenna.throttling import limited
from diagnoses.models import Condition, Diagnosis, Recommendation, Remedy


def asked(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The query of a request. Raises `ValidationError`."""
    query = serializer(data=request.query_params, context={"request": request})
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


@extend_schema(tags=["analytics"])
class RecommendationAnalyticsView(APIView):
    permission_classes = [allowed(Resource.DIAGNOSIS, "figures")]

    @extend_schema(parameters=[WindowSerializer], responses=RecommendationReportSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        visible = Recommendation.objects.visible_to(request.user).select_related("diagnosis")
        recommendation = get_object_or_404(visible, pk=pk)
        trail.read(recommendation, kind=Kind.STATISTICS)
        found = reports.recommendation_report(recommendation, **asked(WindowSerializer, request))
        return Response(RecommendationReportSerializer(found).data)


@extend_schema(tags=["analytics"])
class DiagnosisAnalyticsView(APIView):
    permission_classes = [allowed(Resource.DIAGNOSIS, "figures")]

    @extend_schema(parameters=[WindowSerializer], responses=DiagnosisReportSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        diagnosis = get_object_or_404(Diagnosis.objects.visible_to(request.user), pk=pk)
        trail.read(diagnosis, kind=Kind.STATISTICS)
        found = reports.diagnosis_report(diagnosis, **asked(WindowSerializer, request))
        return Response(DiagnosisReportSerializer(found).data)


@extend_schema(tags=["analytics"])
class OverallView(APIView):
    """One's own active diagnoses, each as a whole, in one answer: what a patient's first screen shows."""

    permission_classes = [allowed(Resource.DIAGNOSIS, "figures")]

    @extend_schema(responses=OverallSerializer(many=True))
    def get(self, request: Request) -> Response:
        own = list(Diagnosis.objects.filter(patient__user=cast(User, request.user), status=Diagnosis.Status.ACTIVE))
        trail.listed(own, kind=Kind.STATISTICS)
        found = [{"diagnosis": pk, "overall": overall} for pk, overall in reports.overall_of(own).items()]
        return Response(OverallSerializer(found, many=True).data)


@extend_schema(tags=["analytics"])
class RemedyAnalyticsView(APIView):
    """Public: nothing about fewer than five patients."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[PublicWindowSerializer], responses=RemedyReportSerializer)
    def get(self, request: Request, slug: str) -> Response:
        remedy = get_object_or_404(Remedy, slug=slug)
        found = reports.remedy_report(remedy, **asked(PublicWindowSerializer, request))
        return Response(RemedyReportSerializer(found).data)


@extend_schema(tags=["analytics"])
class RemedyChartView(PictureView):
    """The same as a picture, and month by month. Public: nothing about fewer than five patients."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="analytics_remedies_chart_retrieve",
        parameters=[PictureQuerySerializer],
        responses={(200, "image/svg+xml"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        query = asked(PictureQuerySerializer, request)
        remedy = get_object_or_404(Remedy, slug=slug)
        report = reports.remedy_report(remedy)
        months = series.stretches(remedy) if report.finding else []
        svg = remedy_chart(report, months, language=query["lang"], theme=query["theme"])
        return picture(request._request, svg, language=query["lang"], cache_control="public, max-age=300")


@extend_schema(tags=["analytics"])
class ConditionAnalyticsView(APIView):
    """Public: nothing about fewer than five patients."""

    permission_classes = [AllowAny]

    @extend_schema(parameters=[PublicWindowSerializer], responses=ConditionReportSerializer)
    def get(self, request: Request, slug: str) -> Response:
        condition = get_object_or_404(Condition, slug=slug)
        found = reports.condition_report(condition, **asked(PublicWindowSerializer, request))
        return Response(ConditionReportSerializer(found).data)


@extend_schema(tags=["analytics"])
class RankedListView(APIView):
    """A public list of remedies, none with fewer than five patients behind it."""

    permission_classes = [AllowAny]
    report: ClassVar[Callable[..., list[RankedRemedy]]] = staticmethod(ranking.most_effective)
    serializer: ClassVar[type[RankedRemedySerializer]] = RankedRemedySerializer

    @extend_schema(parameters=[ListQuerySerializer], responses=RankedRemedySerializer(many=True))
    def get(self, request: Request) -> Response:
        found = self.report(**asked(ListQuerySerializer, request))
        return Response(self.serializer(found, many=True).data)


class TrendingView(RankedListView):
    report = staticmethod(ranking.trending)


@extend_schema_view(get=extend_schema(responses=AlertedRemedySerializer(many=True)))
class WorstPerformingView(RankedListView):
    """The same with `alert`, a sentence for those that surely do worse than the rest; empty for the others."""

    report = staticmethod(ranking.worst_performing)
    serializer = AlertedRemedySerializer


class SideEffectsView(RankedListView):
    report = staticmethod(ranking.side_effects)


@extend_schema(tags=["analytics"])
class RecalculateView(APIView):
    """Brings the scores of some recommendations up to date now, and tells those who watch what moved."""

    permission_classes = [allowed(Resource.SCORES, act=Act.CHANGE)]

    @extend_schema(
        request=RecalculationSerializer, responses={200: RescoredSerializer(many=True), 409: ErrorSerializer}
    )
    @limited("recalculate")
    def post(self, request: Request) -> Response:
        given = RecalculationSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        rescored = actions.recalculate(actor=cast(User, request.user), **given.validated_data)
        trail.listed(given.validated_data["recommendations"], kind=Kind.STATISTICS)
        return Response(RescoredSerializer(rescored, many=True).data)


@extend_schema(tags=["analytics"])
class SummaryView(APIView):
    """The clinic at a glance: all reports together, the remedies that stand out, and what waits for somebody."""

    permission_classes = [allowed(Resource.CLINIC)]

    @extend_schema(parameters=[ClinicSummaryQuerySerializer], responses=ClinicSummarySerializer)
    def get(self, request: Request) -> Response:
        return Response(ClinicSummarySerializer(summarize(**asked(ClinicSummaryQuerySerializer, request))).data)
