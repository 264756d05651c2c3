from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.access import Resource
from accounts.models import User
from audit import trail
from audit.models import Kind
from audit.reading import TellsReads
from avicenna.idempotency import IDEMPOTENCY_KEY, create_once, created
from avicenna.permissions import allowed
from diagnoses import actions
from diagnoses.errors import ChangedMeanwhile
from diagnoses.models import Diagnosis, Recommendation
from diagnoses.serializers import (
    ChangedRecommendationSerializer,
    ChangeRefusedSerializer,
    RecommendationSerializer,
    ReplaceSerializer,
    StopSerializer,
)


@extend_schema(tags=["clinic"])
class DiagnosisRecommendationsView(APIView):
    """The recommendations of one diagnosis."""

    permission_classes = [allowed(Resource.RECOMMENDATION)]

    def get_diagnosis(self) -> Diagnosis:
        visible = Diagnosis.objects.visible_to(self.request.user)
        return get_object_or_404(visible.select_related("patient"), pk=self.kwargs["diagnosis_id"])

    @extend_schema(responses=RecommendationSerializer(many=True))
    def get(self, request: Request, **_: Any) -> Response:
        diagnosis = self.get_diagnosis()
        trail.listed([diagnosis], kind=Kind.RECOMMENDATION)
        recommendations = Recommendation.objects.for_list().filter(diagnosis=diagnosis)
        return Response(RecommendationSerializer(recommendations, many=True).data)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=RecommendationSerializer, responses={201: RecommendationSerializer}
    )
    def post(self, request: Request, **_: Any) -> Response:
        diagnosis = self.get_diagnosis()
        given = RecommendationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        recommendation, is_new = create_once(
            request,
            Recommendation.objects.visible_to(request.user).for_list(),
            lambda pk: actions.recommend(
                actor=cast(User, request.user), diagnosis=diagnosis, id=pk, **given.validated_data
            ),
        )
        return created(RecommendationSerializer(recommendation).data, is_new=is_new)


@extend_schema(tags=["clinic"])
class RecommendationViewSet(TellsReads, RetrieveModelMixin, GenericViewSet[Recommendation]):
    queryset = Recommendation.objects.none()
    serializer_class = RecommendationSerializer
    permission_classes = [allowed(Resource.RECOMMENDATION)]

    def get_queryset(self) -> QuerySet[Recommendation]:
        return Recommendation.objects.visible_to(self.request.user).for_list().select_related("diagnosis")

    @extend_schema(
        request=ChangedRecommendationSerializer,
        responses={200: RecommendationSerializer, 409: ChangeRefusedSerializer},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        recommendation = self.get_object()
        given = ChangedRecommendationSerializer(recommendation, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changes = given.validated_data
        seen = changes.pop("seen", {})
        try:
            recommendation = actions.change_recommendation(
                actor=cast(User, request.user), recommendation=recommendation, changes=changes, seen=seen
            )
        except ChangedMeanwhile as error:
            error.current = self.get_serializer(error.row).data
            raise
        return Response(self.get_serializer(recommendation).data)

    @extend_schema(request=None, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        recommendation = actions.complete_recommendation(
            actor=cast(User, request.user), recommendation=self.get_object()
        )
        return Response(self.get_serializer(recommendation).data)

    @extend_schema(request=StopSerializer, responses=RecommendationSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        recommendation = self.get_object()
        given = StopSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        recommendation = actions.stop_recommendation(
            actor=cast(User, request.user), recommendation=recommendation, **given.validated_data
        )
        return Response(self.get_serializer(recommendation).data)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=ReplaceSerializer, responses={201: RecommendationSerializer})
    @action(detail=True, methods=["post"])
    def replace(self, request: Request, pk: str) -> Response:
        recommendation = self.get_object()
        given = ReplaceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        new, is_new = create_once(
            request,
            self.get_queryset(),
            lambda new_pk: actions.replace_recommendation(
                actor=cast(User, request.user), recommendation=recommendation, id=new_pk, **given.validated_data
            ),
        )
        return created(self.get_serializer(new).data, is_new=is_new)
