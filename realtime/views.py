from __future__ import annotations

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Act, Resource
from accounts.models import Session
from audit import trail
from audit.models import Action, Kind
from avicenna.openapi import ErrorSerializer
from avicenna.permissions import allowed
from avicenna.throttling import limited
from diagnoses.models import Diagnosis
from diagnoses.snapshot import take_snapshot
from realtime.actions import TICKET_SECONDS, issue_ticket
from realtime.lookups import visible_diagnosis
from realtime.models import StreamProcess
from realtime.replay import replay
from realtime.serializers import (
    ReplaySerializer,
    SinceSerializer,
    SnapshotSerializer,
    StatusSerializer,
    TicketRequestSerializer,
    TicketSerializer,
)

SEES_STREAMS = allowed(Resource.DIAGNOSIS, "stream", act=Act.READ)


def watched(request: Request, pk: UUID) -> Diagnosis:
    diagnosis = visible_diagnosis(request.user, pk)
    if diagnosis is None:
        raise NotFound
    return diagnosis


class TicketView(APIView):
    """A ticket opens one socket on one diagnosis, once, within 30 seconds."""

    permission_classes = [SEES_STREAMS]

    @extend_schema(
        request=TicketRequestSerializer, responses={201: TicketSerializer, 404: ErrorSerializer}, tags=["stream"]
    )
    @limited("tickets")
    def post(self, request: Request) -> Response:
        given = TicketRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        diagnosis = watched(request, given.validated_data["diagnosis"])
        ticket = issue_ticket(session=cast(Session, request.auth), diagnosis=diagnosis)
        url = f"/ws/diagnoses/{diagnosis.pk}/?ticket={ticket}"
        return Response({"ticket": ticket, "expires_in": TICKET_SECONDS, "url": url}, status=status.HTTP_201_CREATED)


class EventsView(APIView):
    """What happened after number `since`: for clients without a socket, with the same promise."""

    permission_classes = [SEES_STREAMS]

    @extend_schema(parameters=[SinceSerializer], responses=ReplaySerializer, tags=["stream"])
    def get(self, request: Request, diagnosis_id: UUID) -> Response:
        given = SinceSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        diagnosis = watched(request, diagnosis_id)
        trail.read(diagnosis, kind=Kind.EVENTS, action=Action.REPLAYED)
        missed = replay(diagnosis.pk, given.validated_data["since"])
        return Response({"head": missed.head, "events": [frame.model_dump() for frame in missed.frames]})


class SnapshotView(APIView):
    """The state of a diagnosis and the number of the event it includes last."""

    permission_classes = [SEES_STREAMS]

    @extend_schema(responses=SnapshotSerializer, tags=["stream"])
    def get(self, request: Request, diagnosis_id: UUID) -> Response:
        diagnosis = watched(request, diagnosis_id)
        trail.read(diagnosis)
        head, snapshot = take_snapshot(diagnosis.pk)
        return Response({"head": head, "snapshot": snapshot})


class StatusView(APIView):
    """What the processes that hold sockets say of themselves."""

    permission_classes = [allowed(Resource.SERVER)]

    @extend_schema(responses=StatusSerializer, tags=["stream"])
    def get(self, request: Request) -> Response:
        processes = StreamProcess.objects.alive()
        connections = sum(process.connections for process in processes)
        return Response(StatusSerializer({"connections": connections, "processes": processes}).data)
