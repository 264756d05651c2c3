"""The calibration picture as SVG: what was predicted against what happened. Drawing only, from plain data."""

from __future__ import annotations

from textwrap import wrap

from django.utils.translation import gettext as _
from django.utils.translation import override

from analytics.sheet import MARGIN, PALETTES, THICK, WIDTH, Language, Sheet, Theme
from analytics.wording import number, percent
from predictions.figures import ALLOWED_ERROR, Bin, Figures, Measured

LEFT, TOP = MARGIN + 40, 92  # of the square, beside and below what stands there
SIDE = WIDTH - MARGIN - LEFT
LINE, LETTERS = 18, 36  # height of a line, and as many as fit into it


def calibration_chart(
    figures: Figures | None, *, version: int | None, months: int, language: Language, theme: Theme = "light"
) -> bytes:
    """An SVG document in UTF-8; `figures` None: nobody has reported yet. `version` None is all, 0 the estimate."""
    with override(language):
        sentences = words(figures)
        height = TOP + SIDE + 58 + LINE * len(sentences) if figures else TOP + 140
        sheet = Sheet(height, PALETTES[theme], is_mirrored=language == "fa")
        title, subject = _("Predicted and happened"), _subject(version, months)
        sheet.text(MARGIN, 36, title, size=15, is_bold=True)
        sheet.text(MARGIN, 56, subject, size=12, is_soft=True)
        if figures:
            _draw(sheet, figures)
            for place, sentence in enumerate(sentences):
                y = TOP + SIDE + 62 + LINE * place
                sheet.text(MARGIN, y, sentence, size=12, is_bold=place == 0, is_soft=place > 0)
        else:
            sheet.sprout(WIDTH / 2, TOP + 56)
            for place, line in enumerate(wrap(sentences[0], LETTERS)):
                sheet.text(WIDTH / 2, TOP + 88 + LINE * place, line, "middle", size=12, is_bold=True)
        return sheet.svg(f"{title}: {subject}", "\n".join([*sentences, *_rows(figures)]), language)


def words(figures: Figures | None) -> list[str]:
    """What the figures come to, in sentences that fit the width; the verdict first."""
    if figures is None:
        return [_("Nobody has reported on a shown prediction yet.")]
    counts = {"outcomes": number(figures.outcomes), "patients": number(figures.patients)}
    said = [
        _verdict(figures),
        _("Off by %(error)s on average; chance alone would show %(chance)s")
        % {
            "error": percent(figures.calibration_error),
            "chance": percent(figures.calibration_error_by_chance),
        },
        _("Reports: %(outcomes)s · patients: %(patients)s") % counts,
    ]
    if figures.auc:
        said.append(_("AUC %(value)s") % {"value": measured(figures.auc)})
    if figures.skill:
        said.append(_("Skill against the overall rate: %(value)s") % {"value": measured_share(figures.skill)})
    return said


def measured(found: Measured) -> str:
    """With its interval where there is one."""
    if found.interval is None:
        return _("%(value)s (too few to say how sure)") % {"value": number(found.value, 2)}
    low, high = (number(end, 2) for end in found.interval)
    return _("%(value)s (%(low)s to %(high)s)") % {"value": number(found.value, 2), "low": low, "high": high}


def measured_share(found: Measured) -> str:
    if found.interval is None:
        return _("%(value)s (too few to say how sure)") % {"value": percent(found.value)}
    low, high = (percent(end) for end in found.interval)
    return _("%(value)s (%(low)s to %(high)s)") % {"value": percent(found.value), "low": low, "high": high}


def _subject(version: int | None, months: int) -> str:
    who = _("all versions") if version is None else name_of(version)
    return _("%(predictor)s · last %(months)s months") % {"predictor": who, "months": number(months)}


def name_of(version: int) -> str:
    if not version:
        return _("estimate from the evidence")
    return _("model %(version)s") % {"version": number(version)}


def _verdict(figures: Figures) -> str:
    if figures.verdict == "too_few":
        return _("Too few reports to judge the calibration.")
    if figures.verdict == "off":
        least = percent(figures.calibration_error_at_least)
        return _("Off by %(least)s at least: more than chance explains.") % {"least": least}
    return _("No error above %(allowed)s can be seen.") % {"allowed": percent(ALLOWED_ERROR)}


def _rows(figures: Figures | None) -> list[str]:
    return [
        _("predicted %(predicted)s · happened %(observed)s (%(low)s to %(high)s) · %(count)s reports")
        % {
            "predicted": percent(part.predicted),
            "observed": percent(part.observed),
            "low": percent(part.interval[0]),
            "high": percent(part.interval[1]),
            "count": number(part.count),
        }
        for part in (figures.bins if figures else ())
    ]


def _draw(sheet: Sheet, figures: Figures) -> None:
    """True predictions lie on the diagonal; each bar holds the true share of its reports with 95 %."""
    for share in (0, 0.25, 0.5, 0.75, 1):
        sheet.line([_at(0, share), _at(1, share)], sheet.palette.line, 1)
        sheet.line([_at(share, 0), _at(share, 1)], sheet.palette.line, 1)
    for share in (0, 0.5, 1):
        x, y = _at(share, share)
        sheet.text(LEFT - 6, y + 4, percent(share), "end", size=11, is_soft=True)
        sheet.text(x, TOP + SIDE + 16, percent(share), "middle", size=11, is_soft=True)
    sheet.line([_at(0, 0), _at(1, 1)], sheet.palette.soft, 1.2, is_dashed=True)
    sheet.text(LEFT - 6, TOP - 12, _("Happened"), size=12, is_bold=True)
    sheet.text(LEFT + SIDE / 2, TOP + SIDE + 34, _("Predicted"), "middle", size=12, is_bold=True)
    for part in figures.bins:
        _draw_bin(sheet, part)


def _draw_bin(sheet: Sheet, part: Bin) -> None:
    x, y = _at(part.predicted, part.observed)
    low, high = (_at(part.predicted, end)[1] for end in part.interval)
    sheet.line([(x, low - THICK / 2), (x, min(low, high + THICK) - THICK / 2)], sheet.palette.band, THICK)
    sheet.dot(x, y, radius=5)


def _at(predicted: float, happened: float) -> tuple[float, float]:
    return LEFT + SIDE * predicted, TOP + SIDE * (1 - happened)
