from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.access import Act, Resource, may
from accounts.models import User
from audit.reading import TellsReads
from avicenna.idempotency import IDEMPOTENCY_KEY, create_once, created
from avicenna.permissions import allowed
from diagnoses import actions
from diagnoses.errors import ChangedMeanwhile
from diagnoses.filters import PatientFilter
from diagnoses.models import Patient
from diagnoses.serializers import (
    ChangedPatientSerializer,
    ListedPatientSerializer,
    PatientChangeRefusedSerializer,
    PatientSerializer,
)


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

    @extend_schema(
        request=ChangedPatientSerializer, responses={200: PatientSerializer, 409: PatientChangeRefusedSerializer}
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        patient = self.get_object()
        given = ChangedPatientSerializer(
            patient, data=request.data, partial=True, context=self.get_serializer_context()
        )
        given.is_valid(raise_exception=True)
        changes = given.validated_data
        seen = changes.pop("seen", {})
        try:
            patient = actions.change_patient(
                actor=cast(User, request.user), patient=patient, changes=changes, seen=seen
            )
        except ChangedMeanwhile as error:
            error.current = self.get_serializer(error.row).data
            raise
        return Response(self.get_serializer(patient).data)
