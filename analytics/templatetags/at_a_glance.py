"""The clinic at a glance, in words and figures for the first page of the administration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import Act, Resource, may
from analytics.effectiveness import Trend
from analytics.evidence import Finding
from analytics.ranking import RankedRemedy, alert
from analytics.reports import WINDOWS
from analytics.rollups import Sums
from analytics.series import Day
from analytics.summary import SILENT_DAYS, ClinicSummary, summarize
from analytics.wording import number, percent

register = template.Library()

USUAL = "90"
COLUMNS = 90


@dataclass(frozen=True)
class Figure:
    label: str
    value: str
    note: str = ""
    link: str = ""
    is_urgent: bool = False


@dataclass(frozen=True)
class Entry:
    """One remedy of a list."""

    name: str
    link: str
    score: str
    note: str
    trend: Trend | None = None
    alert: str = ""

    @property
    def trend_word(self) -> str:
        return trend_word(self.trend) if self.trend else ""


@dataclass(frozen=True)
class Column:
    """Heights in hundredths; `part` is drawn over `whole`."""

    whole: float
    part: float


@dataclass(frozen=True)
class Chart:
    """`said` tells in words what the columns show."""

    title: str
    said: str
    columns: list[Column]
    is_time: bool = True


@register.inclusion_tag("analytics/at_a_glance.html", takes_context=True)
def at_a_glance(context: dict[str, Any]) -> dict[str, Any]:
    if not may(context["request"].user, Act.READ, Resource.CLINIC):
        return {}
    window = context["request"].GET.get("window", USUAL)
    window = window if window in WINDOWS else USUAL
    days = WINDOWS[window]
    summary = summarize(days=days)
    return {
        "title": _("The clinic at a glance"),
        "windows": [(name, _window(length), name == window) for name, length in WINDOWS.items()],
        "figures": _figures(summary, days),
        "charts": _charts(summary, days),
        "lists": [
            (_("Most effective"), [_entry(row) for row in summary.best]),
            (_("Least effective"), [_entry(row, alert=alert(row)) for row in summary.worst]),
            (_("Moving"), [_entry(row, trend=row.finding.trend) for row in summary.moving]),
        ],
        "nothing": _("Nothing yet"),
    }


def trend_word(trend: Trend) -> str:
    words = {
        "improving": _("getting better"),
        "declining": _("getting worse"),
        "stable": _("steady"),
        "new": _("too early for a trend"),
    }
    return words[trend]


def _window(days: int | None) -> str:
    return _("%(days)s days") % {"days": number(days)} if days else _("all time")


def _figures(summary: ClinicSummary, days: int | None) -> list[Figure]:
    finding, flags = summary.finding, summary.open_severe_side_effects
    return [
        Figure(_("Effectiveness"), percent(finding.estimate.score), f"{_range(finding)} · {trend_word(finding.trend)}"),
        Figure(_("Reports"), number(summary.reports), _before(summary, days)),
        Figure(_("Patients who reported"), number(summary.patients)),
        Figure(_("Average rating"), *_rating(finding)),
        Figure(
            _("Reports with a side effect"),
            percent(finding.side_effect_rate or 0),
            _("severe in %(percent)s") % {"percent": percent(finding.severe_rate or 0)},
        ),
        Figure(
            _("Severe side effects to look at"),
            number(flags),
            link=reverse("admin:feedback_severeflag_changelist") + "?looked_at__isempty=1",
            is_urgent=flags > 0,
        ),
        Figure(
            _("Active diagnoses"),
            number(summary.active_diagnoses),
            link=reverse("admin:diagnoses_diagnosis_changelist") + "?status__exact=active",
        ),
        Figure(
            _("Recommendations without a report"),
            number(summary.silent_recommendations),
            _("for %(days)s days or longer") % {"days": number(SILENT_DAYS)},
        ),
    ]


def _rating(finding: Finding) -> tuple[str, str]:
    if finding.average_rating is None or finding.average_improvement is None:
        return "–", ""
    improvement = _("improvement %(average)s") % {"average": number(finding.average_improvement, 1)}
    return number(finding.average_rating, 1), improvement


def _before(summary: ClinicSummary, days: int | None) -> str:
    if days is None or summary.reports_before is None:
        return ""
    values = {"count": number(summary.reports_before), "days": number(days)}
    return _("%(count)s in the %(days)s days before") % values


def _range(finding: Finding) -> str:
    low, high = map(percent, finding.estimate.interval)
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def _entry(row: RankedRemedy, **more: Any) -> Entry:
    finding = row.finding
    reports = _("%(count)s reports") % {"count": number(finding.estimate.sample_size)}
    return Entry(
        name=row.remedy.name,
        link=reverse("admin:diagnoses_remedy_change", args=[row.remedy.pk]),
        score=percent(finding.estimate.score),
        note=f"{_range(finding)} · {reports}",
        **more,
    )


def _charts(summary: ClinicSummary, days: int | None) -> list[Chart]:
    if not summary.daily:
        return []
    columns = _columns(summary.daily, days)
    most = max(sums.n for sums in columns)
    reported = [sums for sums in columns if sums.n]
    ratings = [sums.rating_sum / sums.n for sums in reported]
    harm = [sums.side_effects / sums.n for sums in reported]
    worst = max(harm) or 1
    over_time = [
        Chart(
            _("Reports by day"),
            _("The successes in full colour"),
            [Column(100 * sums.n / most, 100 * sums.successes / most) for sums in columns],
        ),
        Chart(
            _("Average rating"),
            _("Between %(low)s and %(high)s of 5") % {"low": number(min(ratings), 1), "high": number(max(ratings), 1)},
            [Column(0, 20 * sums.rating_sum / sums.n if sums.n else 0) for sums in columns],
        ),
        Chart(
            _("Side effects"),
            _("In at most %(percent)s of the reports; severe ones in full colour") % {"percent": percent(max(harm))},
            [_harm(sums, worst) for sums in columns],
        ),
    ]
    return [*over_time, _distribution(summary.scores)] if summary.scores else over_time


def _harm(sums: Sums, worst: float) -> Column:
    of = sums.n * worst or 1
    return Column(100 * sums.side_effects / of, 100 * sums.severe / of)


def _distribution(scores: Sequence[float]) -> Chart:
    """How many remedies there are in each tenth of the effectiveness."""
    tenths = [0] * 10
    for score in scores:
        tenths[min(int(10 * score), 9)] += 1
    said = _("%(count)s remedies, from 0 to 100 percent") % {"count": number(len(scores))}
    columns = [Column(0, 100 * count / max(tenths)) for count in tenths]
    return Chart(_("Effectiveness of the remedies"), said, columns, is_time=False)


def _columns(days: Sequence[Day], window: int | None) -> list[Sums]:
    """One or several days each, from the oldest on, at most COLUMNS of them. `days` are not empty."""
    today = timezone.localdate()
    first = today - timedelta(days=window - 1) if window else days[0].day
    span = (today - first).days + 1
    width = -(-span // COLUMNS)
    columns = [Sums()] * -(-span // width)
    for day, sums in days:
        columns[(day - first).days // width] += sums
    return columns
