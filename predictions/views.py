from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast
from uuid import UUID

from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounts.access import Act, Resource
from accounts.models import User
from audit import trail
from audit.models import Kind
from avicenna.openapi import ErrorSerializer
from avicenna.permissions import allowed
from avicenna.pictures import PictureView, picture
from avicenna.throttling import limited
from diagnoses.models import Patient
from predictions.accuracy import accuracy
from predictions.accuracy_serializers import AccuracyChartQuerySerializer, AccuracyQuerySerializer, AccuracySerializer
from predictions.charts import calibration_chart
from predictions.levels import Level
from predictions.models import PredictionModel
from predictions.optimization import optimize
from predictions.profile import profile_of
from predictions.ranking import Candidates, visible_candidates
from predictions.score_history import history_of
from predictions.serializers import (
    HistoryQuerySerializer,
    HistorySerializer,
    ModelSerializer,
    OptimizationSerializer,
    ProfileSerializer,
    RankingBatchSerializer,
    RankingQuerySerializer,
    RankingSerializer,
    TargetSerializer,
)
from predictions.serving import answer

SEES_PREDICTIONS = allowed(Resource.DIAGNOSIS, "predictions", act=Act.READ)
# All that is asked here counts together.
of_predictions = limited("predictions")


def valid(serializer: type[Serializer[Any]], given: Any) -> dict[str, Any]:
    """Raises `ValidationError`."""
    return dict(_ready(serializer).run_validation(given))


@cache
def _ready(serializer: type[Serializer[Any]]) -> Serializer[Any]:
    """To make one, with its fields, takes several times as long as to check what is given; it keeps nothing of that."""
    return serializer()


def visible(request: Request, pks: Sequence[UUID]) -> list[Candidates]:
    """In their order, for an answer about them. Raises `Http404` where one of them cannot be seen."""
    candidates = visible_candidates(cast(User, request.user), pks)
    if len(candidates) < len(pks):
        raise Http404
    trail.read(*(one.diagnosis for one in candidates), kind=Kind.PREDICTION)
    return candidates


@extend_schema(tags=["predictions"])
class RankingView(APIView):
    """The open recommendations of a diagnosis, best first for its patient."""

    permission_classes = [SEES_PREDICTIONS]

    @extend_schema(parameters=[RankingQuerySerializer], responses={200: RankingSerializer, 404: ErrorSerializer})
    @of_predictions
    def get(self, request: Request) -> Response:
        asked = valid(RankingQuerySerializer, request.query_params)
        [ranking] = answer(visible(request, [asked["diagnosis"]]), Level(asked["optimization_level"]))
        return Response(RankingSerializer(ranking, context={"reader": request.user}).data)


@extend_schema(tags=["predictions"])
class BatchView(APIView):
    """The rankings of up to 20 diagnoses, in the order asked for; not found as a whole where one cannot be seen."""

    permission_classes = [SEES_PREDICTIONS]

    @extend_schema(
        operation_id="predictions_batch_create",
        request=RankingBatchSerializer,
        responses={200: RankingSerializer(many=True), 404: ErrorSerializer},
    )
    @of_predictions
    def post(self, request: Request) -> Response:
        asked = valid(RankingBatchSerializer, request.data)
        rankings = answer(visible(request, asked["diagnoses"]), Level(asked["optimization_level"]))
        return Response(RankingSerializer(rankings, many=True, context={"reader": request.user}).data)


@extend_schema(tags=["predictions"])
class OptimizationView(APIView):
    """The open recommendations that reach a target with a probability of at least 80 %, else the three nearest."""

    permission_classes = [SEES_PREDICTIONS]

    @extend_schema(parameters=[TargetSerializer], responses={200: OptimizationSerializer, 404: ErrorSerializer})
    @of_predictions
    def get(self, request: Request) -> Response:
        asked = valid(TargetSerializer, request.query_params)
        [candidates] = visible(request, [asked["diagnosis"]])
        found = optimize(candidates, asked["target_effectiveness"])
        return Response(OptimizationSerializer(found, context={"reader": request.user}).data)


@extend_schema(tags=["predictions"])
class ProfileView(APIView):
    """What has been learned about a patient, for the patient and those who treat them."""

    permission_classes = [SEES_PREDICTIONS]

    @extend_schema(responses=ProfileSerializer)
    @of_predictions
    def get(self, request: Request, patient_id: UUID) -> Response:
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
        trail.read(patient, kind=Kind.PREDICTION)
        return Response(ProfileSerializer(profile_of(patient)).data)


@extend_schema(tags=["predictions"])
class HistoryView(APIView):
    """How the effectiveness of the open recommendations of a diagnosis moved, day by day."""

    permission_classes = [SEES_PREDICTIONS]

    @extend_schema(
        operation_id="predictions_history_retrieve",
        parameters=[HistoryQuerySerializer],
        responses={200: HistorySerializer, 404: ErrorSerializer},
    )
    @of_predictions
    def get(self, request: Request) -> Response:
        asked = valid(HistoryQuerySerializer, request.query_params)
        [candidates] = visible(request, [asked["diagnosis"]])
        return Response(HistorySerializer(history_of(candidates, asked["days"])).data)


@extend_schema(tags=["predictions"])
class ModelView(APIView):
    """The model in use."""

    permission_classes = [allowed(Resource.MODEL)]

    @extend_schema(responses={200: ModelSerializer, 404: ErrorSerializer})
    @of_predictions
    def get(self, request: Request) -> Response:
        active = PredictionModel.objects.defer("coefficients").filter(is_active=True).first()
        if active is None:
            raise NotFound
        return Response(ModelSerializer(active).data)


@extend_schema(tags=["predictions"])
class AccuracyView(APIView):
    """What was shown against what happened: by version, by month of the report, and by group of people."""

    permission_classes = [allowed(Resource.MODEL)]

    @extend_schema(parameters=[AccuracyQuerySerializer], responses=AccuracySerializer)
    @limited("accuracy")
    def get(self, request: Request) -> Response:
        asked = AccuracyQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(AccuracySerializer(accuracy(**asked.validated_data)).data)


@extend_schema(tags=["predictions"])
class AccuracyChartView(PictureView):
    """The same as a picture: predicted against happened."""

    permission_classes = [allowed(Resource.MODEL)]

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
