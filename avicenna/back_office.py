"""What surrounds the pages of the admin: its name, its menu, its look (the settings in `UNFOLD` call these)."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

# By what staff comes for; the icons are those of the font that unfold brings.
MENU: list[tuple[Promise, list[tuple[str, str]]]] = [
    (
        _("Patients"),
        [
            ("diagnoses.Patient", "personal_injury"),
            ("diagnoses.Diagnosis", "stethoscope"),
            ("feedback.Feedback", "rate_review"),
            ("feedback.SevereFlag", "flag"),
        ],
    ),
    (
        _("Catalogue"),
        [
            ("diagnoses.Remedy", "spa"),
            ("diagnoses.Condition", "healing"),
            ("diagnoses.SideEffect", "sick"),
        ],
    ),
    (
        _("Predictions"),
        [
            ("predictions.PredictionModel", "model_training"),
            ("predictions.PredictionRecord", "query_stats"),
        ],
    ),
    (
        _("People and devices"),
        [
            ("accounts.User", "group"),
            ("accounts.Session", "devices"),
            ("realtime.Receipt", "done_all"),
        ],
    ),
    (
        _("Records"),
        [
            ("realtime.DiagnosisEvent", "timeline"),
            ("audit.AuditRecord", "shield_person"),
            ("diagnoses.BrokenGlass", "emergency_home"),
        ],
    ),
]


class BackOffice(UnfoldAdminSite):
    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """By name in the menu, which has one page; unfold takes any other for a mistake of its own."""
        if request.GET.get("page", "1") != "1":
            raise Http404
        return super().search(request, extra_context)


def name(request: HttpRequest) -> str:
    return gettext("Avicenna")


def icon(request: HttpRequest) -> str:
    return static("dashboard/icon.svg")


def style(request: HttpRequest) -> str:
    return static("avicenna/admin.css")


def script(request: HttpRequest) -> str:
    return static("avicenna/admin.js")


def look(request: HttpRequest) -> dict[str, Any]:
    """Colours come from admin.css: written into each page they would need a policy that allows that."""
    return {"colors": None}


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """What this user may open, in our order; what is registered and not named above comes last."""
    addresses = {
        model["model"]: model["admin_url"] for app in admin.site.get_app_list(request) for model in app["models"]
    }
    home = {"title": gettext("Home"), "icon": "home", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"title": "", "items": [home]}]
    for title, entries in MENU:
        named = [(apps.get_model(label), sign) for label, sign in entries]
        items = [_item(model, sign, addresses.pop(model)) for model, sign in named if model in addresses]
        groups.append({"title": title, "items": items})
    groups.append({"title": gettext("More"), "items": [_item(model, "table", url) for model, url in addresses.items()]})
    return [group for group in groups if group["items"]]


def _item(model: Any, sign: str, address: str | None) -> dict[str, Any]:
    title = str(model._meta.verbose_name_plural)
    return {"title": title[:1].upper() + title[1:], "icon": sign, "link": address or ""}
