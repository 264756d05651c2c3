from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.access import Resource
from accounts.models import User
from audit.reading import TellsReads
from avicenna.idempotency import IDEMPOTENCY_KEY, create_once, created
from avicenna.permissions import allowed
from diagnoses import actions
from diagnoses.errors import ChangedMeanwhile
from diagnoses.filters import DiagnosisFilter
from diagnoses.models import Diagnosis
from diagnoses.serializers import (
    ChangedDiagnosisSerializer,
    DiagnosisChangeRefusedSerializer,
    DiagnosisSerializer,
    NewDiagnosisSerializer,
)


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

    @extend_schema(
        request=ChangedDiagnosisSerializer,
        responses={200: DiagnosisSerializer, 409: DiagnosisChangeRefusedSerializer},
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        diagnosis = self.get_object()
        given = ChangedDiagnosisSerializer(
            diagnosis, data=request.data, partial=True, context=self.get_serializer_context()
        )
        given.is_valid(raise_exception=True)
        changes = given.validated_data
        seen = changes.pop("seen", {})
        try:
            diagnosis = actions.change_diagnosis(
                actor=cast(User, request.user), diagnosis=diagnosis, changes=changes, seen=seen
            )
        except ChangedMeanwhile as error:
            error.current = self.get_serializer(error.row).data
            raise
        return Response(self.get_serializer(diagnosis).data)
