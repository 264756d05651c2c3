from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.access import Act, Resource, may
from accounts.models import User
from analytics.wording import percent
from avicenna.admin import Grade, NewestFirst, Period, ReadOnlyAdmin, ReadOnlyInline, StaffAdmin, act, related
from diagnoses import actions
from diagnoses.catalogue_admin import CatalogueFilesAdmin
from diagnoses.glass import close_glass, review_glass
from diagnoses.models import (
    BrokenGlass,
    CatalogueTerm,
    Condition,
    Contraindication,
    Diagnosis,
    Patient,
    Recommendation,
    Remedy,
    SideEffect,
)


class TermAdmin(CatalogueFilesAdmin, StaffAdmin):
    resource = Resource.CATALOGUE
    search_fields = ["slug", "name_en", "name_fa"]
    list_per_page = 50
    caution: Promise = _(
        "A practitioner reviews the catalogue before the clinic uses it: "
        "nothing here says that a remedy works or is safe."
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"subtitle": self.caution} | (extra_context or {}))

    actions = ["retire", "take_into_use"]

    @admin.action(description=_("Retire"), permissions=["change"])
    def retire(self, request: HttpRequest, terms: QuerySet[Any]) -> None:
        self._use(request, terms, False, gettext("No longer in use."))

    @admin.action(description=_("Take into use"), permissions=["change"])
    def take_into_use(self, request: HttpRequest, terms: QuerySet[Any]) -> None:
        self._use(request, terms, True, gettext("In use again."))

    def _use(self, request: HttpRequest, terms: QuerySet[Any], is_active: bool, done: str) -> None:
        def save(term: CatalogueTerm) -> None:
            term.is_active = is_active
            actions.save_term(actor=cast(User, request.user), term=term)

        act(request, terms, save, done)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug"] if obj else []  # names the term for ever

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actions.save_term(actor=request.user, term=obj)  # type: ignore[arg-type]  # staff only


@admin.register(Condition)
class ConditionAdmin(TermAdmin):
    list_display = ["slug", "name_en", "name_fa", "category", "is_active"]
    list_filter = ["category", "is_active"]


@admin.register(Remedy)
class RemedyAdmin(TermAdmin):
    """Where the degrees come from stands beside them: a practitioner reviews the catalogue before it is used."""

    list_display = ["slug", "name_en", "name_fa", "kind", "warmth", "moisture", "confidence", "is_active"]
    list_filter = ["kind", "confidence", "is_active"]
    search_fields = ["slug", "name_en", "name_fa", "scientific_name"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What patients report comes first, with the caution: it is read beside what the books say."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        return [(_("What patients report"), {"fields": ["chart"], "description": self.caution}), *fieldsets]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [field for field in super().get_fields(request, obj) if field != "chart"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return [*fields, "chart"] if obj else fields

    @admin.display(description=_("effectiveness"))
    def chart(self, remedy: Remedy) -> SafeString:
        """For light and for dark; admin.css shows the one that the page is in, and only that one is loaded."""
        address = reverse("remedy-chart", args=[remedy.slug])
        lang = "fa" if get_language() == "fa" else "en"
        alt = gettext("Effectiveness of %(remedy)s") % {"remedy": remedy.name}
        return format_html_join(
            "",
            '<img class="picture {}" src="{}?lang={}&amp;theme={}" alt="{}" width="360" loading="lazy">',
            [(theme, address, lang, theme, alt) for theme in ("light", "dark")],
        )


@admin.register(SideEffect)
class SideEffectAdmin(TermAdmin):
    list_display = ["slug", "name_en", "name_fa", "body_system", "is_active"]
    list_filter = ["body_system", "is_active"]


class ContraindicationInline(ReadOnlyInline):
    """What the care team stated; the reason is for the care team alone."""

    resource = Resource.CONTRAINDICATION
    model = Contraindication
    readonly_fields = ["stated_at", "lifted_at"]
    fields = ["remedy", "cause", "stated_at", "stated_by", "lifted_at", "lifted_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contraindication]:
        return Contraindication.objects.visible_to(request.user).for_list()


@admin.register(Patient)
class PatientAdmin(NewestFirst, StaffAdmin):
    """Demographics and the care team; clinical texts are for the care team alone."""

    resource = Resource.PATIENT
    list_display = ["full_name", "sex", "birth_date", "mizaj_type", "source", "created_at", "id"]
    list_filter = ["mizaj_type", "sex", "source", ("created_at", Period)]
    fields = ["full_name", "id", "account", "birth_date", "sex", "mizaj_type", "care_team", "created_at"]
    readonly_fields = ["full_name", "id", "account", "birth_date", "sex", "mizaj_type", "created_at"]
    inlines = [ContraindicationInline]
    found_by_email = "user__email"
    search_help_text = _("The id of a patient, or the email of their account. Names are sealed, and not searched.")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Patient]:
        return Patient.objects.visible_to(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff) and may(request.user, Act.CHANGE, Resource.CARE_TEAM)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        practitioners = db_field.remote_field.model.objects.filter(role="practitioner", is_active=True)
        widget = UnfoldAdminCheckboxSelectMultipleWidget()
        field = super().formfield_for_manytomany(db_field, request, queryset=practitioners, widget=widget, **kwargs)
        field.help_text = ""
        return field

    @admin.display(description=_("account"))
    def account(self, patient: Patient) -> str:
        return patient.user.email if patient.user else "–"

    def save_model(self, request: HttpRequest, obj: Patient, form: Any, change: bool) -> None:
        """The care team is all that changes here."""

    def log_change(self, request: HttpRequest, obj: Patient, message: Any) -> LogEntry:
        """Without the name, which is sealed everywhere else."""
        entry = super().log_change(request, obj, message)
        entry.object_repr = str(obj.pk)
        entry.save(update_fields=["object_repr"])
        return entry

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        members = form.cleaned_data["care_team"]
        actions.set_care_team(actor=request.user, patient=form.instance, practitioners=members)  # type: ignore[arg-type]
        for formset in formsets:
            self.save_formset(request, form, formset, change)  # writes nothing, but the admin's log asks what changed


@admin.register(BrokenGlass)
class BrokenGlassAdmin(ReadOnlyAdmin):
    """Records that were opened in an emergency, those that nobody has reviewed first."""

    resource = Resource.GLASS
    list_display = ["practitioner", "patient_id", "at", "until", "reviewed_at", "reviewed_by"]
    list_filter = [("reviewed_at", admin.EmptyFieldListFilter), "at"]
    fields = ["practitioner", "patient", "reason", "at", "until", "reviewed_at", "reviewed_by"]
    ordering = [F("reviewed_at").asc(nulls_first=True), "-at"]
    actions = ["review", "close"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrokenGlass]:
        return BrokenGlass.objects.visible_to(request.user).for_list()

    @admin.action(description=_("Reviewed"))
    def review(self, request: HttpRequest, glasses: QuerySet[BrokenGlass]) -> None:
        for glass in glasses:
            review_glass(actor=cast(User, request.user), glass=glass)

    @admin.action(description=_("Close now"))
    def close(self, request: HttpRequest, glasses: QuerySet[BrokenGlass]) -> None:
        for glass in glasses:
            close_glass(actor=cast(User, request.user), glass=glass)


class RecommendationInline(ReadOnlyInline):
    resource = Resource.RECOMMENDATION
    model = Recommendation
    readonly_fields = ["its_remedy", "effectiveness", "certainty"]
    fields = ["its_remedy", "dosage", "frequency", "duration_days", "status", "effectiveness", "certainty"]
    its_remedy = related("remedy", _("remedy"), is_link=True)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Recommendation]:
        return Recommendation.objects.visible_to(request.user).for_list()

    @admin.display(description=_("effectiveness"))
    def effectiveness(self, given: Recommendation) -> str:
        return "–" if given.effectiveness_score is None else percent(given.effectiveness_score)

    @admin.display(description=_("confidence"))
    def certainty(self, given: Recommendation) -> str:
        return "–" if given.confidence is None else percent(given.confidence)


class OfCondition(RelatedDropdownFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("condition")


class OfMizaj(admin.ChoicesFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("mizaj of the patient")


@admin.register(Diagnosis)
class DiagnosisAdmin(NewestFirst, ReadOnlyAdmin):
    resource = Resource.DIAGNOSIS
    list_display = ["of_patient", "of_condition", "severity", "imbalance", "status", "by", "created_at"]
    of_patient = related("patient", _("patient"))
    of_condition = related("condition", _("condition"))
    by = related("practitioner", _("practitioner"))
    list_filter = [
        "status", ("severity", Grade), "imbalance", ("condition", OfCondition), ("patient__mizaj_type", OfMizaj),
        ("created_at", Period),
    ]  # fmt: skip
    list_filter_submit = True
    list_select_related = ["patient", "condition", "practitioner"]
    fields = ["its_patient", "made_by", "its_condition", "severity", "imbalance", "status", "head", "created_at"]
    its_patient = related("patient", _("patient"), is_link=True)
    its_condition = related("condition", _("condition"), is_link=True)
    made_by = related("practitioner", _("practitioner"), is_link=True)
    readonly_fields = ["its_patient", "its_condition", "made_by"]
    inlines = [RecommendationInline]
    found_by_id = ("pk", "patient")
    found_by_email = "patient__user__email"
    found_by_term = {"condition": Condition}
    search_help_text = _("A condition, the email of a patient's account, or the id of a diagnosis or a patient.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Diagnosis]:
        return Diagnosis.objects.visible_to(request.user)
