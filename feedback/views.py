from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from avicenna.permissions import PatientWrites
from avicenna.throttling import limited
from diagnoses.views import created
from feedback import actions
from feedback.filters import FeedbackFilter
from feedback.models import Feedback
from feedback.serializers import ChangedFeedbackSerializer, FeedbackSerializer, NewFeedbackSerializer


@extend_schema(tags=["feedback"])
class FeedbackViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Feedback]):
    """Reports by patients. `client_id` makes sending twice the same as sending once."""

    queryset = Feedback.objects.none()
    serializer_class = FeedbackSerializer
    permission_classes = [PatientWrites]
    filterset_class = FeedbackFilter

    def get_queryset(self) -> QuerySet[Feedback]:
        return Feedback.objects.visible_to(self.request.user).for_list()

    def filter_queryset(self, queryset: Any) -> Any:
        """Filters shape the list; one report is found by its id also after it was withdrawn."""
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    @extend_schema(request=NewFeedbackSerializer, responses={201: FeedbackSerializer, 200: FeedbackSerializer})
    @limited("feedback", by_user="120/m")
    def create(self, request: Request) -> Response:
        given = NewFeedbackSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        feedback, is_new = actions.submit(actor=cast(User, request.user), **given.validated_data)
        return created(self.get_serializer(feedback).data, is_new=is_new)

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
