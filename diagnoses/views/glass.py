from __future__ import annotations

from typing import cast
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Resource
from accounts.models import User
from audit import trail
from audit.models import Kind
from avicenna.permissions import allowed
from avicenna.throttling import limited
from diagnoses.glass import break_glass
from diagnoses.models import BrokenGlass, Patient
from diagnoses.serializers import BrokenGlassSerializer, GlassBreakSerializer, GlassBrokenSerializer


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
