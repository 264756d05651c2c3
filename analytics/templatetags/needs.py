"""What waits for somebody of the clinic, above its figures on the first page of the administration."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts import failures
from accounts.access import Act, Resource, may
from analytics.templatetags.at_a_glance import Entry, Figure
from analytics.wording import number, percent
from avicenna.dates import day
from avicenna.digits import digits
from feedback.models import SevereFlag
from predictions import drift
from realtime.models import StreamProcess

register = template.Library()

SHOWN = 5
# So many refusals in a day are more than people who mistype.
MANY_REFUSALS = 50


@register.simple_tag(takes_context=True)
def sees_figures(context: dict[str, Any]) -> bool:
    return may(context["request"].user, Act.READ, Resource.CLINIC)


@register.inclusion_tag("analytics/needs.html", takes_context=True)
def needs(context: dict[str, Any]) -> dict[str, Any]:
    flags = SevereFlag.objects.visible_to(context["request"].user).standing().filter(looked_at=None)
    newest = [_flag(flag) for flag in flags.for_list().order_by("-raised_at", "-pk")[:SHOWN]]
    return {
        "title": _("What needs a person"),
        "figures": [_predictions(), _refusals(), _sockets()],
        "flags_title": _("Severe side effects that nobody has looked at"),
        "flags": newest,
        "all_flags": reverse("admin:feedback_severeflag_changelist") + "?looked_at__isempty=1",
        "all": _("All of them"),
        "nothing": _("None"),
    }


def _flag(flag: SevereFlag) -> Entry:
    """Without the patient: whoever looks at it opens the report."""
    effects = "، " if digits("1") != "1" else ", "
    named = effects.join(f"{report.effect} {number(report.severity)}/{number(5)}" for report in flag.feedback.effects)
    return Entry(
        name=str(flag.feedback.recommendation.remedy),
        link=reverse("admin:feedback_feedback_change", args=[flag.feedback_id]),
        score=day(localdate(flag.raised_at)),
        note=named,
    )


def _predictions() -> Figure:
    found = drift.lately()
    label = _("Predictions off by, last %(days)s days") % {"days": number(drift.WINDOW_DAYS)}
    link = reverse("admin:predictions_predictionmodel_changelist")
    if found is None:
        return Figure(label, "–", _("no report on a prediction yet"), link)
    notes = {
        "too_few": _("%(count)s reports are too few to tell"),
        "off": _("surely at least %(percent)s · %(count)s reports"),
        "in_line": _("no more than chance explains, from %(count)s reports"),
    }
    values = {"percent": percent(found.calibration_error_at_least), "count": number(found.outcomes)}
    note = notes[found.verdict] % values
    return Figure(label, percent(found.calibration_error), note, link, is_urgent=found.verdict == "off")


def _refusals() -> Figure:
    label, found = _("Failed sign-ins in 24 hours"), failures.of_last_day()
    if found is None:
        return Figure(label, "–", _("the cache is away"))
    note = _("%(codes)s wrong codes, %(locked)s during a wait")
    values = {"codes": number(found["code"]), "locked": number(found["locked"])}
    count = sum(found.values())
    return Figure(label, number(count), note % values, is_urgent=count >= MANY_REFUSALS)


def _sockets() -> Figure:
    processes = list(StreamProcess.objects.alive())
    note = _("%(users)s people, %(processes)s processes")
    # One person may be connected to several processes, and is counted with each.
    values = {"users": number(sum(process.users for process in processes)), "processes": number(len(processes))}
    return Figure(_("Live connections"), number(sum(process.connections for process in processes)), note % values)
