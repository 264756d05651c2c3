"""Numbers as the reader's language writes them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from avicenna.digits import digits


def number(value: float, decimals: int = 0) -> str:
    """In the digits of the language; `gettext` says which language that is, so that the two never differ."""
    return digits(f"{value:,.{decimals}f}")


def percent(share: float) -> str:
    return _("%(number)s%%") % {"number": number(round(100 * share))}
