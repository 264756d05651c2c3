from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts import actions
from accounts.access import Act, Reach, Resource, reach, role_of
from accounts.consents import consents_of, texts
from accounts.export.fhir import as_fhir
from accounts.export.record import as_json
from accounts.models import PushSubscription, Session, User
from accounts.push import public_key
from accounts.serializers import (
    ConsentSerializer,
    ConsentsSerializer,
    ConsentTextSerializer,
    ErasureSerializer,
    ExportQuerySerializer,
    MeSerializer,
    PasswordSerializer,
    PushKeySerializer,
    PushSubscriptionSerializer,
    RefreshSerializer,
    RegisterSerializer,
    SessionSerializer,
    SignInSerializer,
    SignOutSerializer,
    TokenPairSerializer,
)
from audit import trail
from audit.models import Action
from avicenna.errors import Forbidden
from avicenna.openapi import ErrorSerializer
from avicenna.permissions import allowed
from avicenna.streaming import streamed
from avicenna.throttling import limited
from diagnoses.models import Patient

ATTEMPT = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Names the attempt. When its answer was lost, the same token with the same key gets the same next "
    "refresh token, until that is used. Without one only within a minute; later the session ends, as after a theft.",
)


class RegisterView(APIView):
    authentication_classes = ()
    permission_classes = [AllowAny]

    @limited("register")
    @extend_schema(request=RegisterSerializer, responses={201: MeSerializer}, tags=["auth"])
    def post(self, request: Request) -> Response:
        given = RegisterSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = actions.register(**given.validated_data)
        return Response(MeSerializer(user).data, status=status.HTTP_201_CREATED)


class TokenView(APIView):
    authentication_classes = ()
    permission_classes = [AllowAny]

    @limited("token")
    @extend_schema(
        request=SignInSerializer,
        responses={200: TokenPairSerializer, 401: ErrorSerializer, 403: ErrorSerializer},
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        given = SignInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(actions.sign_in(request=request._request, **given.validated_data))


class RefreshView(APIView):
    authentication_classes = ()
    permission_classes = [AllowAny]

    @limited("refresh")
    @extend_schema(
        parameters=[ATTEMPT],
        request=RefreshSerializer,
        responses={200: TokenPairSerializer, 401: ErrorSerializer},
        tags=["auth"],
    )
    def post(self, request: Request) -> Response:
        given = RefreshSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        attempt = request.headers.get("Idempotency-Key", "")
        return Response(actions.renew(attempt=attempt, **given.validated_data))


class LogoutView(APIView):
    @extend_schema(request=SignOutSerializer, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        given = SignOutSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actions.sign_out(session=cast(Session, request.auth), **given.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(APIView):
    @extend_schema(responses=MeSerializer, tags=["auth"])
    def get(self, request: Request) -> Response:
        return Response(MeSerializer(cast(User, request.user)).data)

    @extend_schema(request=MeSerializer, responses=MeSerializer, tags=["auth"])
    def patch(self, request: Request) -> Response:
        given = MeSerializer(cast(User, request.user), data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        user = actions.change_me(actor=cast(User, request.user), **given.validated_data)
        return Response(MeSerializer(user).data)


class PasswordView(APIView):
    @limited("password")
    @extend_schema(request=PasswordSerializer, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Changes one's password and ends every other session."""
        given = PasswordSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actor, session = cast(User, request.user), cast(Session, request.auth)
        actions.change_password(actor=actor, session=session, **given.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class SessionViewSet(ListModelMixin, GenericViewSet[Session]):
    """Where one is signed in."""

    queryset = Session.objects.none()
    serializer_class = SessionSerializer
    permission_classes = [IsAuthenticated]

    def get_queryset(self) -> QuerySet[Session]:
        return Session.objects.visible_to(self.request.user).for_list()

    @limited("sessions")
    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Ends one: its tokens stop working and its sockets close."""
        actions.sign_out(session=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExportView(APIView):
    """Everything the clinic holds about the caller, as a file: this API's own shapes, or an HL7 FHIR R4 Bundle."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """`format` is ours here; what comes is a file, or an error in JSON."""
        return JSONRenderer(), "application/json"

    @extend_schema(
        parameters=[ExportQuerySerializer],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, "application/fhir+json"): OpenApiTypes.OBJECT},
        tags=["data rights"],
    )
    @limited("export")
    def get(self, request: Request) -> StreamingHttpResponse:
        asked = ExportQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        user, chosen = cast(User, request.user), asked.validated_data["format"]
        if own := Patient.objects.filter(user=user).only("pk").first():
            trail.read(own, action=Action.EXPORTED)
        pieces, kind = (as_fhir(user), "fhir+json") if chosen == "fhir" else (as_json(user), "json")
        answer = streamed(request, pieces, content_type=f"application/{kind}")
        answer["Content-Disposition"] = f'attachment; filename="avicenna-{timezone.localdate():%Y-%m-%d}.{chosen}.json"'
        answer["Cache-Control"] = "no-store"
        return answer


class ConsentTextsView(APIView):
    """What a patient is asked to consent to, for who registers and has read it before."""

    authentication_classes = ()
    permission_classes = [AllowAny]

    @extend_schema(responses=ConsentTextSerializer(many=True), tags=["data rights"])
    def get(self, request: Request) -> Response:
        return Response(ConsentTextSerializer(texts(), many=True).data)


class ConsentsView(APIView):
    """What a patient consents to, and when that was said last."""

    @extend_schema(responses={200: ConsentSerializer(many=True), 403: ErrorSerializer}, tags=["data rights"])
    def get(self, request: Request) -> Response:
        return Response(ConsentSerializer(consents_of(self._patient(request)), many=True).data)

    @limited("consents")
    @extend_schema(
        request=ConsentsSerializer,
        responses={200: ConsentSerializer(many=True), 403: ErrorSerializer},
        tags=["data rights"],
    )
    def put(self, request: Request) -> Response:
        patient = self._patient(request)
        given = ConsentsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        language = "fa" if (get_language() or "").startswith("fa") else "en"
        actions.set_consents(actor=cast(User, request.user), consents=given.validated_data, language=language)
        return Response(ConsentSerializer(consents_of(patient), many=True).data)

    def _patient(self, request: Request) -> Patient:
        """Who has no record of their own has nothing to consent to."""
        patient = Patient.objects.filter(user=cast(User, request.user)).only("pk").first()
        if patient is None:
            raise Forbidden
        return patient


class ErasureView(APIView):
    """One's own account and record, for ever. The figures of remedies stay; nobody is behind them any more."""

    @limited("erasure")
    @extend_schema(request=ErasureSerializer, responses={204: None, 403: ErrorSerializer}, tags=["data rights"])
    def post(self, request: Request) -> Response:
        given = ErasureSerializer(data=request.data)
        user = cast(User, request.user)
        if reach(role_of(user), Act.ERASE, Resource.PATIENT) != Reach.OWN:
            raise Forbidden
        given.is_valid(raise_exception=True)
        actions.erase_me(actor=user, password=given.validated_data["password"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class PatientErasureView(APIView):
    """The same by staff, for a patient who asks the clinic for it. The password is that of who does it."""

    permission_classes = [allowed(Resource.PATIENT, "record", act=Act.ERASE, least=Reach.ALL)]

    @limited("erasure")
    @extend_schema(request=ErasureSerializer, responses={204: None}, tags=["data rights"])
    def post(self, request: Request, patient_id: UUID) -> Response:
        patient = get_object_or_404(Patient.objects.visible_to(request.user), pk=patient_id)
        given = ErasureSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        password = given.validated_data["password"]
        actions.erase_person(actor=cast(User, request.user), patient=patient, password=password)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["auth"])
class PushView(APIView):
    """Whether the device of this session is told, by web push, that there is something new. Never what."""

    @extend_schema(responses=PushKeySerializer)
    def get(self, request: Request) -> Response:
        is_subscribed = PushSubscription.objects.filter(session=cast(Session, request.auth)).exists()
        return Response(PushKeySerializer({"public_key": public_key(), "is_subscribed": is_subscribed}).data)

    @extend_schema(request=PushSubscriptionSerializer, responses={204: None})
    @limited("push")
    def put(self, request: Request) -> Response:
        given = PushSubscriptionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        actions.subscribe(session=cast(Session, request.auth), **given.validated_data)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        actions.unsubscribe(session=cast(Session, request.auth))
        return Response(status=status.HTTP_204_NO_CONTENT)
