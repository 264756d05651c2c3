from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from avicenna.admin import ReadOnlyAdmin
from feedback.models import Feedback


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    """Grades and side effects; the comment is between the patient and the care team."""

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
