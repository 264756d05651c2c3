from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from avicenna.permissions import IsStaff
from avicenna.pictures import PictureView, picture
from avicenna.throttling import limited
from diagnoses.models import Diagnosis
from predictions.accuracy import accuracy
from predictions.actions import record_shown
from predictions.charts import calibration_chart
from predictions.levels import Level
from predictions.models import PredictionModel
from predictions.ranking import rank
from predictions.reasons import ABOUT_PATIENT, TO_PATIENT
from predictions.serializers import (
    AccuracyChartQuerySerializer,
    AccuracyQuerySerializer,
    AccuracySerializer,
    ModelSerializer,
    RankingQuerySerializer,
    RankingSerializer,
)


@extend_schema(tags=["predictions"])
class RankingView(APIView):
    """The open recommendations of a diagnosis, best first for its patient."""

    @extend_schema(parameters=[RankingQuerySerializer], responses=RankingSerializer)
    @limited("predictions", by_user="100/m")
    def get(self, request: Request) -> Response:
        asked = RankingQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        visible = Diagnosis.objects.visible_to(request.user).for_list()
        diagnosis = get_object_or_404(visible, pk=asked.validated_data["diagnosis"])
        ranking = rank(diagnosis, Level(asked.validated_data["optimization_level"]))
        record_shown([ranking])
        wording = TO_PATIENT if diagnosis.patient.user_id == request.user.pk else ABOUT_PATIENT
        return Response(RankingSerializer(ranking, context={"wording": wording}).data)


@extend_schema(tags=["predictions"])
class ModelView(APIView):
    """The model in use."""

    permission_classes = [IsStaff]

    @extend_schema(responses=ModelSerializer)
    def get(self, request: Request) -> Response:
        active = PredictionModel.objects.defer("coefficients").filter(is_active=True).first()
        if active is None:
            raise NotFound
        return Response(ModelSerializer(active).data)


@extend_schema(tags=["predictions"])
class AccuracyView(APIView):
    """What was shown against what happened: by version, by month of the report, and by group of people."""

    permission_classes = [IsStaff]

    @extend_schema(parameters=[AccuracyQuerySerializer], responses=AccuracySerializer)
    @limited("accuracy", by_user="60/m")
    def get(self, request: Request) -> Response:
        asked = AccuracyQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(AccuracySerializer(accuracy(**asked.validated_data)).data)


@extend_schema(tags=["predictions"])
class AccuracyChartView(PictureView):
    """The same as a picture: predicted against happened."""

    permission_classes = [IsStaff]

    @extend_schema(
        operation_id="predictions_accuracy_chart_retrieve",
        parameters=[AccuracyChartQuerySerializer],
        responses={(200, "image/svg+xml"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = AccuracyChartQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        version, months, language = (asked.validated_data.get(name) for name in ("version", "months", "lang"))
        found = accuracy(version=version, months=months).overall
        theme = asked.validated_data["theme"]
        svg = calibration_chart(found, version=version, months=months, language=language, theme=theme)
        return picture(request._request, svg, language=language, cache_control="private, max-age=60")
