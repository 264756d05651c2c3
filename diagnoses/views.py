from __future__ import annotations

from functools import cached_property
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.generics import ListAPIView
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from accounts.access import Act, Resource, may
from accounts.models import User
from audit import trail
from audit.models import Kind
from audit.reading import TellsReads
from avicenna.idempotency import create_once
from avicenna.permissions import allowed
from avicenna.throttling import limited
from diagnoses import actions
from diagnoses.errors import ChangedMeanwhile
from diagnoses.filters import (
    ConditionFilter,
    ContraindicationFilter,
    DiagnosisFilter,
    PatientFilter,
    RemedyFilter,
    SideEffectFilter,
)
from diagnoses.glass import break_glass
from diagnoses.models import (
    BrokenGlass,
    Condition,
    Contraindication,
    Diagnosis,
    Patient,
    Recommendation,
    Remedy,
    SideEffect,
)
from diagnoses.serializers import (
    BrokenGlassSerializer,
    ChangedDiagnosisSerializer,
    ChangedRecommendationSerializer,
    ConditionSerializer,
    ContraindicationSerializer,
    DiagnosisSerializer,
    GlassBreakSerializer,
    GlassBrokenSerializer,
    ListedPatientSerializer,
    NewDiagnosisSerializer,
    PatientSerializer,
    RecommendationSerializer,
    RemedySerializer,
    ReplaceSerializer,
    SideEffectSerializer,
    SourcedRemedySerializer,
    StatedContraindicationSerializer,
    StopSerializer,
)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Sending twice with one key creates once."
)


def created(data: Any, *, is_new: bool) -> Response:
    return Response(data, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class CatalogueViewSet(ReadOnlyModelViewSet[Any]):
    permission_classes = [allowed(Resource.CATALOGUE)]
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]+"


@extend_schema(tags=["catalogue"])
class ConditionViewSet(CatalogueViewSet):
    queryset = Condition.objects.all()
    serializer_class = ConditionSerializer
    filterset_class = ConditionFilter


@extend_schema(tags=["catalogue"], responses=SourcedRemedySerializer)
class RemedyViewSet(CatalogueViewSet):
    """Where the degrees come from, and how sure that is, is for the clinic: patients get the rest."""

    queryset = Remedy.objects.all()
    serializer_class = RemedySerializer
    filterset_class = RemedyFilter

    def get_serializer_class(self) -> type[BaseSerializer[Remedy]]:
        sourced = may(self.request.user, Act.READ, Resource.CATALOGUE, "source")
        return SourcedRemedySerializer if sourced else RemedySerializer


@extend_schema(tags=["catalogue"])
class SideEffectViewSet(CatalogueViewSet):
    queryset = SideEffect.objects.all()
    serializer_class = SideEffectSerializer
    filterset_class = SideEffectFilter


@extend_schema(tags=["clinic"])
class PatientViewSet(TellsReads, ListModelMixin, RetrieveModelMixin, GenericViewSet[Patient]):
    queryset = Patient.objects.none()
    serializer_class = PatientSerializer
    permission_classes = [allowed(Resource.PATIENT)]
    filterset_class = PatientFilter

    def get_queryset(self) -> QuerySet[Patient]:
        patients = Patient.objects.visible_to(self.request.user)
        with_diagnoses = self.action == "list" and may(
            self.request.user, Act.READ, Resource.PATIENT, "active_diagnoses"
        )
        return patients.for_list() if with_diagnoses else patients

    def get_serializer_class(self) -> type[PatientSerializer]:
        return ListedPatientSerializer if self.action == "list" else PatientSerializer

    @extend_schema(parameters=[IDEMPOTENCY_KEY])
    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        patient, is_new = create_once(
            request,
            self.get_queryset(),
            lambda pk: actions.create_patient(actor=cast(User, request.user), id=pk, **given.validated_data),
        )
        return created(self.get_serializer(patient).data, is_new=is_new)

    def partial_update(self, request: Request, pk: str) -> Response:
        patient = self.get_object()
        given = self.get_serializer(patient, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        patient = actions.change_patient(actor=cast(User, request.user), patient=patient, changes=given.validated_data)
        return Response(self.get_serializer(patient).data)


@extend_schema(tags=["clinic"])
class BreakGlassView(APIView):
    """Opens a record to a practitioner who is not on its care team, for an hour.

    The record is named by its number. The answer is the same where there is none: see whether it opens.
    """

    permission_classes = [allowed(Resource.GLASS)]

    @extend_schema(request=GlassBreakSerializer, responses={202: GlassBrokenSerializer})
    @limited("break-glass")
    def post(self, request: Request, patient_id: UUID) -> Response:
        given = GlassBreakSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        until = break_glass(actor=cast(User, request.user), patient_id=patient_id, **given.validated_data)
        return Response(GlassBrokenSerializer({"until": until}).data, status=status.HTTP_202_ACCEPTED)


@extend_schema(tags=["clinic"])
class BrokenGlassView(ListAPIView[BrokenGlass]):
    """Who opened this record in an emergency, when and why: for the patient, the care team and the head."""

    queryset = BrokenGlass.objects.none()
    serializer_class = BrokenGlassSerializer
    permission_classes = [allowed(Resource.GLASS)]

    def get_queryset(self) -> QuerySet[BrokenGlass]:
        patient = get_object_or_404(Patient.objects.visible_to(self.request.user), pk=self.kwargs["patient_id"])
        trail.listed([patient], kind=Kind.EMERGENCY_ACCESS)
        return BrokenGlass.objects.for_list().filter(patient=patient)


@extend_schema(tags=["clinic"])
class ContraindicationViewSet(ListModelMixin, GenericViewSet[Contraindication]):
    """Remedies that must not be given to one patient: those that stand and those that were lifted, newest first."""

    queryset = Contraindication.objects.none()
    serializer_class = ContraindicationSerializer
    permission_classes = [allowed(Resource.CONTRAINDICATION)]
    filterset_class = ContraindicationFilter

    @cached_property
    def patient(self) -> Patient:
        return get_object_or_404(Patient.objects.visible_to(self.request.user), pk=self.kwargs["patient_id"])

    def get_queryset(self) -> QuerySet[Contraindication]:
        return Contraindication.objects.for_list().filter(patient=self.patient)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().list(request, *args, **kwargs)
        trail.listed([self.patient], kind=Kind.CONTRAINDICATION)  # also that there are none
        return answer

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=ContraindicationSerializer,
        responses={201: StatedContraindicationSerializer},
    )
    def create(self, request: Request, **_: Any) -> Response:
        """From now on it cannot be recommended. What is given already is named, and goes on until it is stopped."""
        patient = self.patient
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        contraindication, is_new = create_once(
            request,
            Contraindication.objects.visible_to(request.user).for_list(),
            lambda pk: actions.contraindicate(
                actor=cast(User, request.user), patient=patient, id=pk, **given.validated_data
            ),
        )
        return created(
            StatedContraindicationSerializer(contraindication, context=self.get_serializer_context()).data,
            is_new=is_new,
        )

    @extend_schema(request=None, responses=ContraindicationSerializer)
    @action(detail=True, methods=["post"])
    def lift(self, request: Request, **_: Any) -> Response:
        """The remedy may be given again."""
        contraindication = actions.lift_contraindication(
            actor=cast(User, request.user), contraindication=self.get_object()
        )
        return Response(self.get_serializer(contraindication).data)


@extend_schema(tags=["clinic"])
class DiagnosisViewSet(TellsReads, ListModelMixin, RetrieveModelMixin, GenericViewSet[Diagnosis]):
    queryset = Diagnosis.objects.none()
    serializer_class = DiagnosisSerializer
    permission_classes = [allowed(Resource.DIAGNOSIS)]
    filterset_class = DiagnosisFilter

    def get_queryset(self) -> QuerySet[Diagnosis]:
        return Diagnosis.objects.visible_to(self.request.user).for_list()

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=NewDiagnosisSerializer, responses={201: DiagnosisSerializer})
    def create(self, request: Request) -> Response:
        given = NewDiagnosisSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        diagnosis, is_new = create_once(
            request,
            self.get_queryset(),
            lambda pk: actions.record_diagnosis(actor=cast(User, request.user), id=pk, **given.validated_data),
        )
        return created(self.get_serializer(diagnosis).data, is_new=is_new)

    @extend_schema(request=ChangedDiagnosisSerializer, responses=DiagnosisSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        diagnosis = self.get_object()
        given = ChangedDiagnosisSerializer(
            diagnosis, data=request.data, partial=True, context=self.get_serializer_context()
        )
        given.is_valid(raise_exception=True)
        diagnosis = actions.change_diagnosis(
            actor=cast(User, request.user), diagnosis=diagnosis, changes=given.validated_data
        )
        return Response(self.get_serializer(diagnosis).data)


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

    @extend_schema(request=ChangedRecommendationSerializer, responses=RecommendationSerializer)
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
