from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.access import Resource
from accounts.models import User
from avicenna.admin import NewestFirst, Period, ReadOnlyAdmin, ReadOnlyInline, act, related
from diagnoses.models import Remedy
from feedback.actions import look_at
from feedback.models import SEVERE, Feedback, SevereFlag, SideEffectReport


class SideEffectInline(ReadOnlyInline):
    model = SideEffectReport
    fields = ["named", "severity"]
    readonly_fields = ["named"]
    named = related("effect", _("side effect"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[SideEffectReport]:
        return super().get_queryset(request).select_related("effect")


class Harm(admin.SimpleListFilter):
    """Whether side effects were named, and how bad."""

    title = _("side effects")
    parameter_name = "harm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("any", _("any")), ("severe", _("severe")), ("none", _("none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Feedback]) -> QuerySet[Feedback]:
        named = SideEffectReport.objects.filter(feedback=OuterRef("pk"))
        choices = {"any": Exists(named), "severe": Exists(named.filter(severity__gte=SEVERE)), "none": ~Exists(named)}
        choice = choices.get(self.value() or "")
        return queryset.filter(choice) if choice is not None else queryset


@admin.register(Feedback)
class FeedbackAdmin(NewestFirst, ReadOnlyAdmin):
    """Grades and side effects; the comment is between the patient and the care team."""

    list_display = ["remedy", "rating", "symptom_improvement", "compliance", "effects", "created_at"]
    list_filter = ["rating", Harm, "mizaj", ("withdrawn_at", admin.EmptyFieldListFilter), ("created_at", Period)]
    remedy = related("recommendation.remedy", _("remedy"))
    fields = ["its_remedy", "its_diagnosis", "mizaj", "rating", "symptom_improvement", "compliance", "created_at"]
    fields += ["withdrawn_at"]
    its_remedy = related("recommendation.remedy", _("remedy"), is_link=True)
    its_diagnosis = related("diagnosis", _("diagnosis"), is_link=True)
    readonly_fields = ["its_remedy", "its_diagnosis"]
    ordering = ["-created_at", "-pk"]
    inlines = [SideEffectInline]
    list_select_related = ["recommendation__remedy"]
    found_by_id = ("pk", "patient", "diagnosis", "recommendation")
    found_by_email = "patient__user__email"
    found_by_term = {"recommendation__remedy": Remedy}
    search_help_text = _("A remedy, the email of a patient's account, or the id of a report, patient or diagnosis.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        return Feedback.objects.visible_to(request.user).for_list().defer("comment")

    @admin.display(description=_("side effects"))
    def effects(self, feedback: Feedback) -> str:
        return ", ".join(f"{report.effect} {report.severity}/5" for report in feedback.side_effects.all())


@admin.register(SevereFlag)
class SevereFlagAdmin(NewestFirst, ReadOnlyAdmin):
    """Severe side effects, those that nobody has looked at first."""

    resource = Resource.SEVERE_FLAG
    list_display = ["feedback_remedy", "effects", "raised_at", "looked_at", "looked_at_by"]
    list_filter = [("looked_at", admin.EmptyFieldListFilter), ("raised_at", Period)]
    fields = ["feedback_remedy", "effects", "raised_at", "looked_at", "looked_at_by"]
    ordering = [F("looked_at").asc(nulls_first=True), "-raised_at"]
    actions = ["mark_as_looked_at"]
    found_by_id = ("feedback", "feedback__patient", "feedback__diagnosis")
    found_by_term = {"feedback__recommendation__remedy": Remedy}
    search_help_text = _("A remedy, or the id of a report, patient or diagnosis.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SevereFlag]:
        return SevereFlag.objects.visible_to(request.user).standing().for_list()

    @admin.display(description=_("remedy"))
    def feedback_remedy(self, flag: SevereFlag) -> str:
        return str(flag.feedback.recommendation.remedy)

    @admin.display(description=_("side effects"))
    def effects(self, flag: SevereFlag) -> str:
        return ", ".join(f"{report.effect} {report.severity}/5" for report in flag.feedback.side_effects.all())

    @admin.action(description=_("Looked at"), permissions=["view"])
    def mark_as_looked_at(self, request: HttpRequest, flags: QuerySet[SevereFlag]) -> None:
        staff = cast(User, request.user)
        done = gettext("Looked at.")
        act(request, flags, lambda flag: look_at(actor=staff, flag=flag), done)
