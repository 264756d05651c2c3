from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from analytics import reports
from analytics.reports import RankedRemedy
from analytics.serializers import (
    ConditionReportSerializer,
    DiagnosisReportSerializer,
    FindingSerializer,
    ListQuerySerializer,
    RankedRemedySerializer,
    RemedyReportSerializer,
)
from avicenna.permissions import IsStaff
from diagnoses.models import Condition, Diagnosis, Recommendation, Remedy


@extend_schema(tags=["analytics"])
class RecommendationAnalyticsView(APIView):
    @extend_schema(responses=FindingSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        visible = Recommendation.objects.visible_to(request.user).select_related("diagnosis")
        return Response(FindingSerializer(reports.recommendation_report(get_object_or_404(visible, pk=pk))).data)


@extend_schema(tags=["analytics"])
class DiagnosisAnalyticsView(APIView):
    @extend_schema(responses=DiagnosisReportSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        diagnosis = get_object_or_404(Diagnosis.objects.visible_to(request.user), pk=pk)
        return Response(DiagnosisReportSerializer(reports.diagnosis_report(diagnosis)).data)


@extend_schema(tags=["analytics"])
class RemedyAnalyticsView(APIView):
    """Public: nothing about fewer than five patients."""

    permission_classes = [AllowAny]

    @extend_schema(responses=RemedyReportSerializer)
    def get(self, request: Request, slug: str) -> Response:
        return Response(RemedyReportSerializer(reports.remedy_report(get_object_or_404(Remedy, slug=slug))).data)


@extend_schema(tags=["analytics"])
class ConditionAnalyticsView(APIView):
    """Public: nothing about fewer than five patients."""

    permission_classes = [AllowAny]

    @extend_schema(responses=ConditionReportSerializer)
    def get(self, request: Request, slug: str) -> Response:
        condition = get_object_or_404(Condition, slug=slug)
        return Response(ConditionReportSerializer(reports.condition_report(condition)).data)


@extend_schema(tags=["analytics"])
class RankedListView(APIView):
    """A public list of remedies, none with fewer than five patients behind it."""

    permission_classes = [AllowAny]
    report: ClassVar[Callable[..., list[RankedRemedy]]] = staticmethod(reports.most_effective)

    @extend_schema(parameters=[ListQuerySerializer], responses=RankedRemedySerializer(many=True))
    def get(self, request: Request) -> Response:
        asked = ListQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(RankedRemedySerializer(self.report(**asked.validated_data), many=True).data)


class TrendingView(RankedListView):
    report = staticmethod(reports.trending)


class WorstPerformingView(RankedListView):
    report = staticmethod(reports.worst_performing)


class SideEffectsView(RankedListView):
    report = staticmethod(reports.side_effects)


@extend_schema(tags=["analytics"])
class SummaryView(APIView):
    permission_classes = [IsStaff]

    @extend_schema(responses=FindingSerializer)
    def get(self, request: Request) -> Response:
        return Response(FindingSerializer(reports.overall()).data)
