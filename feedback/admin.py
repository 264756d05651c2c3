from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.access import Resource
from accounts.models import User
from analytics.wording import number
from audit import trail
from audit.models import Action, Kind
from avicenna.admin import Grade, NewestFirst, Period, ReadOnlyAdmin, ReadOnlyInline, act, related
from avicenna.csv_cells import lines
from avicenna.streaming import streamed
from diagnoses.models import Remedy
from feedback.actions import look_at
from feedback.export import HEAD, LEAST_PATIENTS, WEEKS, rows
from feedback.models import SEVERE, Feedback, SevereFlag, SideEffectReport


class SideEffectInline(ReadOnlyInline):
    resource = Resource.FEEDBACK
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


class WeeksForm(forms.Form):
    weeks = forms.TypedChoiceField(label=_("Period"), coerce=int, initial=13, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(weeks, gettext("the last %(weeks)s whole weeks") % {"weeks": number(weeks)}) for weeks in WEEKS]
        cast(forms.ChoiceField, self.fields["weeks"]).choices = choices


@admin.register(Feedback)
class FeedbackAdmin(NewestFirst, ReadOnlyAdmin):
    """Grades and side effects; the comment is between the patient and the care team."""

    resource = Resource.FEEDBACK
    list_display = ["remedy", "rating", "symptom_improvement", "compliance", "effects", "created_at"]
    list_filter = [
        ("rating", Grade),
        Harm,
        "mizaj",
        ("withdrawn_at", admin.EmptyFieldListFilter),
        ("created_at", Period),
    ]
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

    actions_list = ["export"]

    @action(description=_("Export"), url_path="export", permissions=["export"], icon="download")
    def export(self, request: HttpRequest) -> HttpResponseBase:
        """What is exported stands on the page; the file comes with POST, and the trail tells who took it."""
        form = WeeksForm(request.POST or None)
        if form.is_valid():
            weeks, staff = form.cleaned_data["weeks"], cast(User, request.user)
            told = trail.entry(
                staff, Action.EXPORTED, Kind.FEEDBACK, patient=None, reason=f"{weeks} weeks, without names"
            )
            trail.keep([told], also_repeated=True)
            answer = streamed(request, lines(rows(actor=staff, weeks=weeks)), content_type="text/csv; charset=utf-8")
            answer["Content-Disposition"] = 'attachment; filename="feedback.csv"'
            return answer
        context = self.admin_site.each_context(request) | {"opts": self.model._meta, "title": _("Export of feedback")}
        return render(request, "feedback/export.html", context | {"form": form, "columns": HEAD, "words": _words()})

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

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


def _words() -> dict[str, str]:
    rare = gettext(
        "A row says no more than it shares with reports of at least %(count)s patients: week, remedy, condition "
        "and mizaj; where fewer share that, month, remedy and condition; then quarter and remedy; what is rarer is "
        "left out."
    )
    return {
        "what": gettext("A CSV file with a row for each report and these columns:"),
        "nobody": gettext(
            "It names nobody and has no comments and no days; nothing ties the rows of one person together."
        ),
        "rare": rare % {"count": number(LEAST_PATIENTS)},
        "without": gettext("Withdrawn reports, and those of people who do not consent to statistics, are not in it."),
        "told": gettext("That you exported it stands in the audit trail."),
        "go": gettext("Export"),
    }
