from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.access import Resource
from analytics.sheet import PALETTES
from analytics.wording import number, percent
from avicenna.admin import NewestFirst, Period, ReadOnlyAdmin
from avicenna.digits import digits
from avicenna.pictures import PictureQuerySerializer, picture
from diagnoses.mizaj import Mizaj
from diagnoses.models import Patient
from predictions.accuracy import MOST_MONTHS, Breakdown, accuracy
from predictions.charts import calibration_chart, measured, measured_share, words
from predictions.fairness import Gap
from predictions.features import AGE_BANDS
from predictions.figures import Measured
from predictions.models import PredictionModel, PredictionRecord


def table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> SafeString:
    return render_to_string("predictions/table.html", {"head": head, "rows": rows})


@admin.register(PredictionModel)
class PredictionModelAdmin(ReadOnlyAdmin):
    """A model, how it did on what it had not seen, and how right it was since, for whom."""

    resource = Resource.MODEL
    list_display = ["version", "trained_at", "training_size", "holdout_size", "is_active"]
    fieldsets = [
        (None, {"fields": ["version", "trained_at", "training_size", "holdout_size", "is_active"]}),
        (_("On the held-out reports"), {"fields": ["quality", "scale_table"]}),
        (_("On what was shown"), {"fields": ["calibration", "months", "people"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PredictionModel]:
        return super().get_queryset(request).defer("coefficients")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.calibration_picture)
        return [path("<int:pk>/calibration.svg", view, name="prediction-calibration"), *super().get_urls()]

    def calibration_picture(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """For the page: a browser asks for it with the session of the admin, the API with a token."""
        model = get_object_or_404(PredictionModel.objects.only("version"), pk=pk)
        asked = PictureQuerySerializer(data=request.GET)
        asked.is_valid(raise_exception=True)
        language, theme = asked.validated_data["lang"], asked.validated_data["theme"]
        found = accuracy(version=model.version, months=MOST_MONTHS).overall
        svg = calibration_chart(found, version=model.version, months=MOST_MONTHS, language=language, theme=theme)
        return picture(request, svg, language=language, cache_control="private, max-age=60")

    @admin.display(description=_("quality"))
    def quality(self, model: PredictionModel) -> SafeString:
        head = [_("predictor"), *(label for _name, label in MEASURES)]
        rows = [
            [PREDICTORS.get(name, name), *(_figure(found.get(measure)) for measure, _label in MEASURES)]
            for name, found in model.metrics.items()
            if isinstance(found, dict)
        ]
        return table(head, rows)

    @admin.display(description=_("prior scale of each group"))
    def scale_table(self, model: PredictionModel) -> SafeString:
        return table([_("group"), _("scale")], [[name, _figure(scale)] for name, scale in model.scales.items()])

    @admin.display(description=_("calibration"))
    def calibration(self, model: PredictionModel) -> SafeString:
        """For light and for dark; admin.css shows the one that the page is in, and only that one is loaded."""
        address = reverse("admin:prediction-calibration", args=[model.pk])
        language = "fa" if get_language() == "fa" else "en"
        alt = " ".join(words(accuracy(version=model.version, months=MOST_MONTHS).overall))
        return format_html_join(
            "",
            '<img class="picture {}" src="{}?lang={}&amp;theme={}" alt="{}" width="360" loading="lazy">',
            [(theme, address, language, theme, alt) for theme in PALETTES],
        )

    @admin.display(description=_("by month"))
    def months(self, model: PredictionModel) -> SafeString:
        head = [_("month"), _("reports"), _("AUC"), _("Brier score"), _("calibration error"), _("by chance")]
        rows = []
        for row in accuracy(version=model.version, months=MOST_MONTHS).months:
            found = row.figures
            errors = (percent(found.calibration_error), percent(found.calibration_error_by_chance))
            area = measured(found.auc) if found.auc else "–"
            rows.append([digits(f"{row.month:%Y/%m}"), number(found.outcomes), area, measured(found.brier), *errors])
        return table(head, rows)

    @admin.display(description=_("by group of people"))
    def people(self, model: PredictionModel) -> SafeString:
        groups = accuracy(version=model.version, months=MOST_MONTHS).groups
        return format_html_join("", "{}", [(_breakdown(one),) for one in groups]) or format_html("–")


MEASURES = [
    ("auc", _("AUC")),
    ("brier", _("Brier score")),
    ("log_loss", _("log loss")),
    ("calibration_error", _("calibration error")),
]
PREDICTORS = {
    "model": _("this model"),
    "active": _("the model that was in use"),
    "shrunken_rates": _("shrunken rates"),
    "fixed_formula": _("fixed formula"),
}
ATTRIBUTES = {"sex": _("sex"), "age_band": _("age band"), "mizaj": _("mizaj")}
NAMES = {"sex": dict(Patient.Sex.choices), "mizaj": dict(Mizaj.choices)}


def _figure(value: Any) -> str:
    return number(value, 4) if isinstance(value, int | float) else "–"


def _group(attribute: str, name: str) -> str:
    if not name:
        return gettext("not known")
    return str(NAMES[attribute][name]) if attribute in NAMES else _years(name)


def _place(attribute: str, name: str) -> int:
    """In the order that people know; who is not known comes last."""
    known = [*NAMES[attribute]] if attribute in NAMES else [*(f"<{end}" for end in AGE_BANDS), f">={AGE_BANDS[-1]}"]
    return known.index(name) if name in known else len(known)


def _years(band: str) -> str:
    """`<45` as the years it holds."""
    ends = dict(zip((f"<{end}" for end in AGE_BANDS), pairwise((0, *AGE_BANDS)), strict=True))
    if band in ends:
        first, end = ends[band]
        return gettext("%(first)s to %(last)s years") % {"first": number(first), "last": number(end - 1)}
    return gettext("%(first)s years or more") % {"first": number(AGE_BANDS[-1])}


def _breakdown(found: Breakdown) -> SafeString:
    head = [ATTRIBUTES[found.attribute], _("patients"), _("reports"), _("predicted"), _("happened"), _("AUC")]
    rows: list[list[object]] = []
    for group in sorted(found.fairness.groups, key=lambda group: _place(found.attribute, group.name)):
        own = group.figures
        rates = (percent(own.predicted_rate), percent(own.success_rate))
        counts = (number(own.patients), number(own.outcomes))
        rows.append([_group(found.attribute, group.name), *counts, *rates, measured(own.auc) if own.auc else "–"])
    said = [_said(found.attribute, gap) for gap in found.fairness.gaps]
    if found.fairness.held_back:
        said.append(gettext("Patients in groups too small to show: %s") % number(found.fairness.held_back))
    lines = format_html_join("", '<p class="figures-note">{}</p>', [(line,) for line in said])
    return format_html("{}{}", table(head, rows), lines)


def _said(attribute: str, gap: Gap) -> str:
    """The gap, and whether chance explains it."""
    texts = {
        "bias": gettext(
            "Predicted against happened: highest for “%(higher)s”, lowest for “%(lower)s”, %(size)s apart."
        ),
        "auc": gettext("Ranked best for “%(higher)s”, worst for “%(lower)s”, with AUCs %(size)s apart."),
    }
    size = percent(gap.size) if gap.measure == "bias" else number(gap.size, 2)
    names = {"higher": _group(attribute, gap.higher), "lower": _group(attribute, gap.lower)}
    chance = gettext("More than chance.") if gap.is_beyond_chance else gettext("No more than chance.")
    return f"{texts[gap.measure] % (names | {'size': size})} {chance}"


class VersionFilter(admin.SimpleListFilter):
    """The versions that are kept, and the estimate: to ask the records themselves would read all of them."""

    title = _("model version")
    parameter_name = "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        versions = PredictionModel.objects.values_list("version", flat=True)
        return [(str(version), digits(str(version))) for version in [*versions, 0]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(model_version=int(value)) if value and value.isdecimal() else queryset


@admin.register(PredictionRecord)
class PredictionRecordAdmin(NewestFirst, ReadOnlyAdmin):
    """What was shown and what came of it; whose it was is for the care team."""

    resource = Resource.PREDICTION
    list_display = ["remedy", "model_version", "chance", "shown_at", "rating", "reported_at"]
    list_filter = [VersionFilter, ("reported_at", admin.EmptyFieldListFilter), ("shown_at", Period)]
    fields = ["remedy", "number", "model_version", "chance", "sex", "age", "mizaj", "shown_at", "last_shown_at"]
    fields += ["rating", "reported_at"]
    found_by_id = ("recommendation", "diagnosis")
    search_help_text = _("The id of a recommendation or a diagnosis.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PredictionRecord]:
        return PredictionRecord.objects.visible_to(request.user).for_list()

    @admin.display(description=_("remedy"))
    def remedy(self, record: PredictionRecord) -> str:
        return str(record.recommendation.remedy)

    @admin.display(description=_("predicted chance of success"))
    def chance(self, record: PredictionRecord) -> str:
        return measured_share(Measured(record.predicted, None, (record.lower, record.upper)))

    @admin.display(description=_("age band"))
    def age(self, record: PredictionRecord) -> str:
        return _group("age_band", record.age_band)

    @admin.display(description=_("rating"))
    def rating(self, record: PredictionRecord) -> int | None:
        return record.feedback.rating if record.feedback and not record.feedback.is_withdrawn else None
