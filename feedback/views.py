from __future__ import annotations

from functools import cache
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.access import Resource, role_of
from accounts.models import Role, User
from audit import trail
from audit.models import Kind
from audit.reading import TellsReads
from avicenna.errors import ActionError, refusal
from avicenna.idempotency import created
from avicenna.permissions import allowed
from avicenna.throttling import limited
from diagnoses.models import Diagnosis, Recommendation
from diagnoses.serializers import RecommendationSerializer
from feedback import actions
from feedback.filters import FeedbackFilter, SevereFlagFilter
from feedback.models import Feedback, SevereFlag
from feedback.serializers import (
    BatchAnswerSerializer,
    BatchSerializer,
    ChangedFeedbackSerializer,
    CourseQuerySerializer,
    DueQuerySerializer,
    FeedbackCourseSerializer,
    FeedbackSerializer,
    NewFeedbackSerializer,
    OverviewSerializer,
    SevereFlagSerializer,
    SummarySerializer,
)
from feedback.summaries import courses_of, due_for, overview_of, summary_of

# To make a serializer takes several times as long as to use it, and these keep nothing of what they are given.
_own_feedback = FeedbackSerializer(context={"reader": Role.PATIENT})


@cache
def _new_feedback(language: str) -> NewFeedbackSerializer:
    """One for each language: the texts of its errors stay in the one in which they were said first."""
    return NewFeedbackSerializer()


@extend_schema(tags=["feedback"])
class FeedbackViewSet(TellsReads, ListModelMixin, RetrieveModelMixin, GenericViewSet[Feedback]):
    """Reports by patients. `client_id` makes sending twice the same as sending once."""

    queryset = Feedback.objects.none()
    serializer_class = FeedbackSerializer
    permission_classes = [allowed(Resource.FEEDBACK)]
    filterset_class = FeedbackFilter

    def get_queryset(self) -> QuerySet[Feedback]:
        return Feedback.objects.visible_to(self.request.user).for_list()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "reader": role_of(self.request.user)}

    def filter_queryset(self, queryset: Any) -> Any:
        """Filters shape the list; one report is found by its id also after it was withdrawn."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    @extend_schema(request=NewFeedbackSerializer, responses={201: FeedbackSerializer, 200: FeedbackSerializer})
    @limited("feedback")
    def create(self, request: Request) -> Response:
        feedback, is_new = self._submit(request.data)
        return created(feedback, is_new=is_new)

    def _submit(self, said: Any) -> tuple[dict[str, Any], bool]:
        """The answer to one report, and whether it is new."""
        given = _new_feedback(get_language()).run_validation(said)
        feedback, is_new = actions.submit(actor=cast(User, self.request.user), **given)
        return _own_feedback.to_representation(feedback), is_new

    @extend_schema(request=ChangedFeedbackSerializer, responses=FeedbackSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        feedback = self.get_object()
        given = ChangedFeedbackSerializer(
            feedback, data=request.data, partial=True, context=self.get_serializer_context()
        )
        given.is_valid(raise_exception=True)
        feedback = actions.change(actor=cast(User, request.user), feedback=feedback, changes=given.validated_data)
        return Response(self.get_serializer(feedback).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Withdraws the report: it leaves every figure and stays, marked, in one's own history."""
        actions.withdraw(actor=cast(User, request.user), feedback=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=BatchSerializer, responses=BatchAnswerSerializer(many=True), filters=False)
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    @limited("feedback-batch")
    def batch(self, request: Request) -> Response:
        """Reports that waited for a connection: one answer for each, some may fail and the rest are kept."""
        given = BatchSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response([self._answer(item) for item in given.validated_data["items"]])

    def _answer(self, item: dict[str, Any]) -> dict[str, Any]:
        """What `create` would have answered; each item is a transaction of its own."""
        try:
            feedback, is_new = self._submit(item)
        except (ActionError, ValidationError) as error:
            answer = refusal(error)
            return {"status": answer.status_code, **answer.data}
        answered = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return {"status": answered, "feedback": feedback}


@extend_schema(tags=["feedback"])
class DueView(APIView):
    """What a patient may still report on today."""

    permission_classes = [allowed(Resource.RECOMMENDATION)]

    @extend_schema(parameters=[DueQuerySerializer], responses=RecommendationSerializer(many=True))
    def get(self, request: Request) -> Response:
        asked = DueQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        due = list(due_for(cast(User, request.user), asked.validated_data["since"]))
        trail.listed(due)
        return Response(RecommendationSerializer(due, many=True).data)


@extend_schema(tags=["feedback"])
class FeedbackSummaryView(APIView):
    permission_classes = [allowed(Resource.FEEDBACK)]

    @extend_schema(responses=SummarySerializer)
    def get(self, request: Request, recommendation_id: UUID) -> Response:
        visible = Recommendation.objects.visible_to(request.user).select_related("diagnosis")
        recommendation = get_object_or_404(visible, pk=recommendation_id)
        trail.read(recommendation, kind=Kind.FEEDBACK)
        return Response(SummarySerializer(summary_of(recommendation)).data)


@extend_schema(tags=["feedback"])
class FeedbackOverviewView(APIView):
    permission_classes = [allowed(Resource.FEEDBACK)]

    @extend_schema(responses=OverviewSerializer)
    def get(self, request: Request, diagnosis_id: UUID) -> Response:
        diagnosis = get_object_or_404(Diagnosis.objects.visible_to(request.user), pk=diagnosis_id)
        trail.read(diagnosis, kind=Kind.FEEDBACK)
        return Response(OverviewSerializer(overview_of(diagnosis)).data)


@extend_schema(tags=["feedback"])
class FeedbackCourseView(APIView):
    """What was reported on each recommendation of a diagnosis, report by report: for a chart, in one answer."""

    permission_classes = [allowed(Resource.FEEDBACK)]

    @extend_schema(
        operation_id="diagnoses_feedback_course_list",
        parameters=[CourseQuerySerializer],
        responses=FeedbackCourseSerializer(many=True),
    )
    def get(self, request: Request, diagnosis_id: UUID) -> Response:
        asked = CourseQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        diagnosis = get_object_or_404(Diagnosis.objects.visible_to(request.user), pk=diagnosis_id)
        trail.read(diagnosis, kind=Kind.FEEDBACK)
        courses = courses_of(diagnosis, asked.validated_data["days"])
        return Response(FeedbackCourseSerializer(courses, many=True).data)


@extend_schema(tags=["feedback"])
class SevereFlagViewSet(TellsReads, ListModelMixin, GenericViewSet[SevereFlag]):
    """Reports with a severe side effect, for the clinic: newest first, with who has looked at them."""

    queryset = SevereFlag.objects.none()
    serializer_class = SevereFlagSerializer
    permission_classes = [allowed(Resource.SEVERE_FLAG)]
    filterset_class = SevereFlagFilter

    def get_queryset(self) -> QuerySet[SevereFlag]:
        return SevereFlag.objects.visible_to(self.request.user).standing().for_list()

    @extend_schema(request=None, responses=SevereFlagSerializer)
    @action(detail=True, methods=["post"], url_path="look-at")
    def look_at(self, request: Request, pk: str) -> Response:
        flag = actions.look_at(actor=cast(User, request.user), flag=self.get_object())
        return Response(self.get_serializer(flag).data)
