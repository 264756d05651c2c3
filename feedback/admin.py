from __future__ import annotations

from typing import cast

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.access import Resource
from accounts.models import User
from avicenna.admin import ReadOnlyAdmin
from feedback.actions import look_at
from feedback.models import Feedback, SevereFlag


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """Grades and side effects; the comment is between the patient and the care team."""

    resource = Resource.FEEDBACK
    list_display = ["recommendation", "rating", "symptom_improvement", "compliance", "effects", "created_at"]
    list_filter = ["rating", "created_at"]
    fields = ["recommendation", "rating", "symptom_improvement", "compliance", "effects", "created_at", "withdrawn_at"]
    list_select_related = ["recommendation__remedy"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        return Feedback.objects.visible_to(request.user).for_list().defer("comment")

    @admin.display(description=_("side effects"))
    def effects(self, feedback: Feedback) -> str:
        return ", ".join(f"{report.effect} {report.severity}/5" for report in feedback.side_effects.all())


@admin.register(SevereFlag)
class SevereFlagAdmin(ReadOnlyAdmin):
    """Severe side effects, those that nobody has looked at first."""

    resource = Resource.SEVERE_FLAG
    list_display = ["feedback_remedy", "effects", "raised_at", "looked_at", "looked_at_by"]
    list_filter = [("looked_at", admin.EmptyFieldListFilter), "raised_at"]
    fields = ["feedback_remedy", "effects", "raised_at", "looked_at", "looked_at_by"]
    ordering = [F("looked_at").asc(nulls_first=True), "-raised_at"]
    actions = ["mark_as_looked_at"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[SevereFlag]:
        return SevereFlag.objects.visible_to(request.user).standing().for_list()

    @admin.display(description=_("remedy"))
    def feedback_remedy(self, flag: SevereFlag) -> str:
        return str(flag.feedback.recommendation.remedy)

    @admin.display(description=_("side effects"))
    def effects(self, flag: SevereFlag) -> str:
        return ", ".join(f"{report.effect} {report.severity}/5" for report in flag.feedback.side_effects.all())

    @admin.action(description=_("Looked at"))
    def mark_as_looked_at(self, request: HttpRequest, flags: QuerySet[SevereFlag]) -> None:
        for flag in flags:
            look_at(actor=cast(User, request.user), flag=flag)
