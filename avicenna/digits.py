"""Digits as the reader's language writes them."""

from __future__ import annotations

from django.utils.translation import get_language

PERSIAN_DIGITS = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫")


def digits(written: str) -> str:
    return written.translate(PERSIAN_DIGITS) if get_language() == "fa" else written
