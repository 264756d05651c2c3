"""Numbers as the reader's language writes them."""

from __future__ import annotations

from django.utils.translation import get_language
from django.utils.translation import gettext as _

PERSIAN_DIGITS = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫")


def number(value: float, decimals: int = 0) -> str:
    """In the digits of the language; `gettext` says which language that is, so that the two never differ."""
    return digits(f"{value:,.{decimals}f}")


def digits(written: str) -> str:
    return written.translate(PERSIAN_DIGITS) if get_language() == "fa" else written


def percent(share: float) -> str:
    return _("%(number)s%%") % {"number": number(round(100 * share))}
