"""Dates as the reader's language has them: in Persian of the Solar Hijri calendar, which Django does not know."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from persiantools.jdatetime import JalaliDate, JalaliDateTime


def day(given: date) -> str:
    if get_language() == "fa":
        return JalaliDate(given).strftime("%d %B %Y", locale="fa").lstrip("۰")
    return date_format(given, "DATE_FORMAT")


def moment(given: datetime) -> str:
    """In the clinic's time zone."""
    local = timezone.localtime(given)
    if get_language() == "fa":
        return JalaliDateTime(local).strftime("%d %B %Y، %H:%M", locale="fa").lstrip("۰")
    return date_format(local, "DATETIME_FORMAT")
