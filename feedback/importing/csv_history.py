"""Reader of a clinic's own history: one report a row, comma separated, UTF-8 (docs/import.md).

Made for files that people keep in a spreadsheet: columns in any order, Persian or English digits, words for sex
and mizaj in both languages, empty rows at the end. What cannot be used comes back as a `Reject`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from feedback.importing.names import name_key, persian_letters, plain_digits
from feedback.importing.records import (
    Record,
    Reject,
    UnreadableFile,
    Unusable,
    filled,
    parse,
    read_header,
    read_records,
)

HEADER = (
    "patient",
    "birth_year",
    "sex",
    "mizaj",
    "condition",
    "remedy",
    "rating",
    "improvement",
    "compliance",
    "side_effects",
    "comment",
    "date",
)
SEX = {
    "female": ("female", "f", "woman", "زن", "مونث", "مؤنث"),
    "male": ("male", "m", "man", "مرد", "مذکر"),
}
MIZAJ = {
    "balanced": ("balanced", "معتدل"),
    "warm": ("warm", "گرم"),
    "cold": ("cold", "سرد"),
    "wet": ("wet", "تر"),
    "dry": ("dry", "خشک"),
    "warm_wet": ("warm_wet", "گرم و تر", "damawi", "دموی"),
    "warm_dry": ("warm_dry", "گرم و خشک", "safrawi", "صفراوی"),
    "cold_wet": ("cold_wet", "سرد و تر", "balghami", "بلغمی"),
    "cold_dry": ("cold_dry", "سرد و خشک", "sawdawi", "سوداوی"),
}

IDENTIFIER_LENGTH = 100
# Earlier years are slips, or years of the Persian calendar.
FIRST_YEAR = 1900

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_YEAR = re.compile(r"[0-9]{4}", re.ASCII)
_GRADE = re.compile(r"[1-5]", re.ASCII)


@dataclass(frozen=True)
class Report:
    """One usable row. `sex` and `mizaj` are the words of the database or empty, grades run from 1 to 5.

    `condition`, `remedy` and the effects in `side_effects` are as the clinic calls them; `text` is the row.
    """

    line: int
    text: str
    patient: str
    birth_year: int | None
    sex: str
    mizaj: str
    condition: str
    remedy: str
    rating: int
    improvement: int
    compliance: int | None
    side_effects: tuple[tuple[str, int], ...]
    comment: str
    day: date


def read(path: str | Path, *, today: date) -> Iterator[Report | Reject]:
    """Reads a file in its order, one `Report` or `Reject` per record that is not empty, in little memory.

    Dates after `today` are rejected. Lines count from 1, the header's. Raises UnreadableFile when the first item
    is asked for if the file is not there or lacks a column of `HEADER`, and later at a line that is not text.
    """
    records = read_records(path, delimiter=",", advice="save the file as “CSV UTF-8”")
    names = _checked(read_header(records))
    filled_in = (record for record in records if not record.is_empty)
    yield from parse(filled_in, partial(_report, names=names, today=today))


def _words(meanings: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Each word's key → what it means; in `warm_wet` a space or a hyphen may stand for the underscore."""
    return {name_key(word).replace("_", ""): meaning for meaning, words in meanings.items() for word in words}


_SEX, _MIZAJ = _words(SEX), _words(MIZAJ)


def _checked(header: list[str]) -> list[str]:
    names = [name.strip().lower() for name in header]
    if missing := [name for name in HEADER if name not in names]:
        raise UnreadableFile(f"the header lacks {', '.join(missing)}; it should be: {','.join(HEADER)}")
    if repeated := [name for name in HEADER if names.count(name) > 1]:
        raise UnreadableFile(f"the header has {', '.join(repeated)} more than once")
    return names


def _report(record: Record, names: list[str], today: date) -> Report:
    fields = record.named(names)
    day = _day(fields["date"], today)
    return Report(
        line=record.line,
        text=record.text,
        patient=_identifier(fields["patient"]),
        birth_year=_birth_year(fields["birth_year"], day),
        sex=_word(fields, "sex", _SEX),
        mizaj=_word(fields, "mizaj", _MIZAJ),
        condition=filled(fields, "condition"),
        remedy=filled(fields, "remedy"),
        rating=_grade("rating", fields["rating"]),
        improvement=_grade("improvement", fields["improvement"]),
        compliance=_grade("compliance", fields["compliance"]) if fields["compliance"] else None,
        side_effects=_effects(fields["side_effects"]),
        comment=fields["comment"],
        day=day,
    )


def _identifier(text: str) -> str:
    """Written with Persian digits or letters, it is still the same person."""
    identifier = plain_digits(persian_letters(unicodedata.normalize("NFKC", text))).strip()
    if not identifier:
        raise Unusable("patient is empty")
    if len(identifier) > IDENTIFIER_LENGTH:
        raise Unusable(f"patient is longer than {IDENTIFIER_LENGTH} characters")
    return identifier


def _grade(name: str, text: str) -> int:
    if not _GRADE.fullmatch(number := plain_digits(text)):
        raise Unusable(f"{name} “{text}” is not a whole number from 1 to 5")
    return int(number)


def _word(fields: dict[str, str], name: str, words: dict[str, str]) -> str:
    if not (text := fields[name]):
        return ""
    meaning = words.get(re.sub("[_-]", "", name_key(text)))
    if meaning is None:
        raise Unusable(f"{name} “{text}” is unknown")
    return meaning


def _day(text: str, today: date) -> date:
    iso = plain_digits(text)
    try:
        day = date.fromisoformat(iso) if _DATE.fullmatch(iso) else None
    except ValueError:
        day = None
    if day is None:
        raise Unusable(f"date “{text}” is not a day written as YYYY-MM-DD")
    if day.year < FIRST_YEAR:
        raise Unusable(f"date “{text}” is before {FIRST_YEAR}: dates are Gregorian, not Persian")
    if day > today:
        raise Unusable(f"date “{text}” is in the future")
    return day


def _birth_year(text: str, day: date) -> int | None:
    if not text:
        return None
    if not _YEAR.fullmatch(number := plain_digits(text)):
        raise Unusable(f"birth_year “{text}” is not a year")
    year = int(number)
    if year < FIRST_YEAR:
        raise Unusable(f"birth_year “{text}” is before {FIRST_YEAR}: years are Gregorian, not Persian")
    if year > day.year:
        raise Unusable(f"birth_year “{text}” is after the date of the report")
    return year


def _effects(text: str) -> tuple[tuple[str, int], ...]:
    """`effect:severity`, separated by `;` or the Persian `؛`."""
    effects: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in re.split("[;؛]", text))):
        name, colon, severity = part.rpartition(":")
        if not colon or not name.strip():
            raise Unusable(f"side_effects “{part}” is not written as effect:severity")
        effects[name.strip()] = _grade(f"side_effects: severity of {name.strip()}", severity.strip())
    return tuple(effects.items())
