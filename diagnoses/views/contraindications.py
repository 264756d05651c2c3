from __future__ import annotations

from functools import cached_property
from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.access import Resource
from accounts.models import User
from audit import trail
from audit.models import Kind
from avicenna.idempotency import IDEMPOTENCY_KEY, create_once, created
from avicenna.permissions import allowed
from diagnoses import actions
from diagnoses.filters import ContraindicationFilter
from diagnoses.models import Contraindication, Patient
from diagnoses.serializers import ContraindicationSerializer, StatedContraindicationSerializer


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
