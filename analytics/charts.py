"""The picture of a remedy as SVG: how effective it is, for whom, and in which month. Drawing only, from plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import override

from analytics.effectiveness import Estimate
from analytics.sheet import MARGIN, PALETTES, THICK, WIDTH, Language, Sheet, Theme
from analytics.wording import number, percent
from diagnoses.mizaj import Mizaj

if TYPE_CHECKING:
    from analytics.reports import RemedyReport
    from analytics.series import Stretch

ROW, MONTHS = 44, 112  # heights of a row and of the plot over time
NAME_LETTERS = 26  # as many as fit into a line


@dataclass(frozen=True)
class Row:
    """An estimate and what it is about; None where nobody reported."""

    label: str
    estimate: Estimate | None


@dataclass(frozen=True)
class Picture:
    """All that is drawn, in the language it is drawn in. `rows` begin with the remedy; none: not enough reports."""

    name: str
    rows: tuple[Row, ...]
    stretches: tuple[Row, ...]


def remedy_chart(
    report: RemedyReport, stretches: Sequence[Stretch], *, language: Language, theme: Theme = "light"
) -> bytes:
    """An SVG document in UTF-8, the same bytes for the same data. Shows only what `report` and `stretches` hold."""
    with override(language):
        name = " ".join(_printable(report.remedy.name).split())
        if report.finding is None:
            return _drawn(Picture(name, (), ()), language, theme)
        rows = [Row(_("All patients"), report.finding.estimate)]
        rows += [Row(_label(mizaj), report.by_mizaj[mizaj].estimate) for mizaj in Mizaj if mizaj in report.by_mizaj]
        return _drawn(Picture(name, tuple(rows), _over_time(stretches)), language, theme)


def _label(mizaj: Mizaj) -> str:
    label = str(mizaj.label)
    return label[:1].upper() + label[1:]


def _over_time(stretches: Sequence[Stretch]) -> tuple[Row, ...]:
    """Named by how long ago they were: two calendars are in use."""
    return tuple(
        Row(_ago((stretches[-1].last - s.last).days + 1, (stretches[-1].last - s.first).days + 1), s.estimate)
        for s in stretches
    )


def _ago(newest: int, oldest: int) -> str:
    if newest == 1:
        return _("Last %(days)s days") % {"days": number(oldest)}
    return _("%(first)s to %(last)s days ago") % {"first": number(newest), "last": number(oldest)}


def _printable(text: str) -> str:
    """Without the control characters that XML cannot hold; names come from people."""
    return "".join(letter if letter.isprintable() or letter == "\u200c" else " " for letter in text)


# A picture changes with the reports only, and to draw it takes longer than to ask the database what is on it.
@lru_cache(maxsize=128)
def _drawn(picture: Picture, language: Language, theme: Theme) -> bytes:
    name = wrap(picture.name, NAME_LETTERS, max_lines=2, placeholder=" …")
    top = 12 + 22 * len(name)
    sheet = Sheet(top + _height(picture), PALETTES[theme], is_mirrored=language == "fa")
    for i, line in enumerate(name):
        sheet.text(MARGIN, 36 + 22 * i, line, size=17, is_bold=True)
    if picture.rows:
        sheet.text(MARGIN, top + 22, _("Effectiveness with its interval, last 90 days"), size=12, is_soft=True)
        _draw_rows(sheet, picture.rows, top + 54)
        _draw_months(sheet, picture.stretches, top + 152 + _height_of_mizajes(picture))
    else:
        _draw_nothing_yet(sheet, top)
    title = _("Effectiveness of %(remedy)s") % {"remedy": picture.name}
    return sheet.svg(title, "\n".join(_words(picture)), language)


def _height(picture: Picture) -> int:
    """Of all that is below the name."""
    if not picture.rows:
        return 148
    return 152 + _height_of_mizajes(picture) + (MONTHS + 104 if picture.stretches else 46)


def _height_of_mizajes(picture: Picture) -> int:
    return ROW * (len(picture.rows) - 1) + 10 if len(picture.rows) > 1 else 38


def _draw_rows(sheet: Sheet, rows: Sequence[Row], top: float) -> None:
    """The remedy with the scale, then the mizajes, each with a tick where the remedy as a whole stands."""
    whole, *mizajes = rows
    _draw_row(sheet, whole, top, is_bold=True)
    for share, align in ((0, "start"), (0.5, "middle"), (1, "end")):
        sheet.text(_along(share), top + 36, percent(share), align, size=11, is_soft=True)
    sheet.text(MARGIN, top + 72, _("By temperament"), size=13, is_bold=True)
    if not mizajes:
        sheet.text(MARGIN, top + 94, _no_mizaj(), size=12, is_soft=True)
    for i, row in enumerate(mizajes):
        y = top + 98 + ROW * i
        _draw_row(sheet, row, y)
        if whole.estimate:
            x = _along(whole.estimate.score)
            sheet.line([(x, y + 7), (x, y + 21)], sheet.palette.accent, 1.5)


def _draw_row(sheet: Sheet, row: Row, y: float, *, is_bold: bool = False) -> None:
    """Label, number of reports and score; below them the interval on the way from 0 to 100 %."""
    sheet.text(MARGIN, y, row.label, size=12, is_bold=is_bold)
    sheet.bar(_along(0), _along(1), y + 14, sheet.palette.line)
    if row.estimate:
        sheet.text(_along(1), y, percent(row.estimate.score), "end", size=12, is_bold=True)
        sheet.text(_along(1) - 50, y, _reports(row.estimate), "end", size=12, is_soft=True)
        low, high = row.estimate.interval
        sheet.bar(_along(low), _along(high), y + 14, sheet.palette.band)
        sheet.dot(_along(row.estimate.score), y + 14)


def _along(share: float) -> float:
    return MARGIN + (WIDTH - 2 * MARGIN) * share


def _draw_months(sheet: Sheet, stretches: Sequence[Row], top: float) -> None:
    """From the oldest on: the score and its interval from bottom to top, joined across months with reports."""
    sheet.text(MARGIN, top, _("Over time"), size=13, is_bold=True)
    if not stretches:
        sheet.text(MARGIN, top + 22, _too_few_for_months(), size=12, is_soft=True)
        return
    bottom = top + 32 + MONTHS
    for share in (0, 0.5, 1):
        y = bottom - MONTHS * share
        sheet.line([(_along(0), y), (_along(1), y)], sheet.palette.line, 1)
        sheet.text(MARGIN, y - 4, percent(share), size=11, is_soft=True)
    places = [_along((i + 0.5) / len(stretches)) for i in range(len(stretches))]
    months = list(zip(places, stretches, strict=True))
    points = [(x, bottom - MONTHS * row.estimate.score) if row.estimate else None for x, row in months]
    for start, end in pairwise(points):
        if start and end:
            sheet.line([start, end], sheet.palette.accent, 1.5)
    for x, row in months:
        _draw_month(sheet, row, x, bottom)


def _draw_month(sheet: Sheet, row: Row, x: float, bottom: float) -> None:
    sheet.text(x, bottom + 20, row.label, "middle", size=11)
    if not row.estimate:
        sheet.text(x, bottom + 37, _("no reports"), "middle", size=11, is_soft=True)
        return
    sheet.text(x, bottom + 37, percent(row.estimate.score), "middle", size=12, is_bold=True)
    sheet.text(x, bottom + 52, _reports(row.estimate), "middle", size=11, is_soft=True)
    low, high = (bottom - MONTHS * end for end in row.estimate.interval)
    sheet.line([(x, low - THICK / 2), (x, min(low, high + THICK) - THICK / 2)], sheet.palette.band, THICK)
    sheet.dot(x, bottom - MONTHS * row.estimate.score)


def _draw_nothing_yet(sheet: Sheet, top: float) -> None:
    """A sprout, and when there will be more."""
    sheet.sprout(WIDTH / 2, top + 74)
    for i, sentence in enumerate(_nothing_yet()):
        sheet.text(WIDTH / 2, top + 104 + 20 * i, sentence, "middle", size=12 - i, is_bold=i == 0, is_soft=i > 0)


def _nothing_yet() -> list[str]:
    return [_("There are not enough reports yet."), _("They are shown once five patients or more have reported.")]


def _no_mizaj() -> str:
    return _("No temperament has enough reports of its own yet.")


def _too_few_for_months() -> str:
    return _("There are not enough reports yet to show this.")


def _words(picture: Picture) -> list[str]:
    """The picture in sentences, for those who do not see it."""
    if not picture.rows:
        return [picture.name, *_nothing_yet()]
    whole, *mizajes = picture.rows
    said = [_sentence(picture.name, whole.estimate), *(_sentence(row.label, row.estimate) for row in mizajes)]
    if not mizajes:
        said.append(_no_mizaj())
    if not picture.stretches:
        return [*said, f"{_('Over time')}: {_too_few_for_months()}"]
    return [*said, *(_sentence(row.label, row.estimate) for row in picture.stretches)]


def _sentence(subject: str, estimate: Estimate | None) -> str:
    if estimate is None:
        return f"{subject}: {_('no reports')}"
    low, high = (percent(end) for end in estimate.interval)
    return _("%(subject)s: %(percent)s effective (%(interval)s), %(reports)s") % {
        "subject": subject,
        "percent": percent(estimate.score),
        "interval": _("%(low)s to %(high)s") % {"low": low, "high": high},
        "reports": _reports(estimate),
    }


def _reports(estimate: Estimate) -> str:
    # Always several: five patients at least stand behind what is drawn.
    return _("%(count)s reports") % {"count": number(estimate.sample_size)}
