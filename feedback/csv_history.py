"""Reader of a clinic's own history: one report a row, comma separated, UTF-8 (docs/import.md).

Made for files that people keep in a spreadsheet: columns in any order, Persian or English digits, words for sex
and mizaj in both languages, empty rows at the end. What cannot be used comes back as a `Reject`.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from feedback.druglib import Reject, UnreadableFile

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

# A quote that is never closed would swallow the rest of the file: these bound one record and the memory.
MAX_LINE_BYTES = 1 << 20
MAX_RECORD_LINES = 500

# Keyboards and old programs write the Arabic letters where Persian has its own.
_PERSIAN = str.maketrans("يىك", "ییک")
_VOWEL_SIGNS = re.compile("[\u064b-\u0652\u0640]")
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


@dataclass(frozen=True)
class _Record:
    """The fields that start at `line`, or None where the quoting is broken, and the text they stand in."""

    line: int
    fields: list[str] | None
    text: str


class _Unusable(ValueError):
    """Why a record is no report."""


def read(path: str | Path, *, today: date) -> Iterator[Report | Reject]:
    """Reads a file in its order, one `Report` or `Reject` per record that is not empty, in little memory.

    Dates after `today` are rejected. Lines count from 1, the header's. Raises UnreadableFile when the first item
    is asked for if the file is not there or lacks a column of `HEADER`, and later at a line that is not text.
    """
    try:
        with Path(path).open("rb") as file:
            records = _records(_lines(file))
            names = _names(next(records, None))
            for record in records:
                if record.fields is None or any(field.strip() for field in record.fields):
                    yield _item(record, names, today)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from error


def name_key(text: str) -> str:
    """What two spellings of one name have in common, in Persian and English.

    Case, spaces, half-spaces, vowel signs and marks of direction do not count; Arabic yeh and kaf are the Persian
    letters; digits of all scripts are the same.
    """
    plain = _digits(unicodedata.normalize("NFKC", text).casefold().translate(_PERSIAN))
    return "".join(c for c in _VOWEL_SIGNS.sub("", plain) if not c.isspace() and unicodedata.category(c) != "Cf")


def _digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _words(meanings: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Each word's key → what it means; in `warm_wet` a space or a hyphen may stand for the underscore."""
    return {name_key(word).replace("_", ""): meaning for meaning, words in meanings.items() for word in words}


_SEX, _MIZAJ = _words(SEX), _words(MIZAJ)


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise UnreadableFile(f"line {number} is longer than {MAX_LINE_BYTES} bytes")
        if b"\0" in raw:
            raise UnreadableFile(f"line {number} is binary, not text")
        try:
            # Spreadsheets write a mark in front of the first line.
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UnreadableFile(f"line {number} is not UTF-8: save the file as “CSV UTF-8”") from None


def _records(lines: Iterator[tuple[int, str]]) -> Iterator[_Record]:
    ahead: deque[tuple[int, str]] = deque()
    while first := (ahead.popleft() if ahead else next(lines, None)):
        taken = [first]
        try:
            # A reader per record: strict, it stumbles over a lost quote, and the lines after it are read afresh.
            fields = next(csv.reader(_feed(taken, ahead, lines), strict=True))
        except csv.Error:
            ahead.extendleft(reversed(taken[1:]))
            yield _Record(first[0], None, first[1])
        else:
            yield _Record(first[0], fields, "".join(text for _, text in taken))


def _feed(
    taken: list[tuple[int, str]], ahead: deque[tuple[int, str]], lines: Iterator[tuple[int, str]]
) -> Iterator[str]:
    """The lines of one record as its reader asks for them, noted in `taken`."""
    yield taken[0][1]
    while len(taken) < MAX_RECORD_LINES and (line := ahead.popleft() if ahead else next(lines, None)):
        taken.append(line)
        yield line[1]


def _names(header: _Record | None) -> list[str]:
    if header is None:
        raise UnreadableFile("the file is empty")
    names = [name.strip().lower() for name in header.fields or []]
    if missing := [name for name in HEADER if name not in names]:
        raise UnreadableFile(f"the header lacks {', '.join(missing)}; it should be: {','.join(HEADER)}")
    if repeated := [name for name in HEADER if names.count(name) > 1]:
        raise UnreadableFile(f"the header has {', '.join(repeated)} more than once")
    return names


def _item(record: _Record, names: list[str], today: date) -> Report | Reject:
    try:
        return _report(record, names, today)
    except _Unusable as reason:
        return Reject(record.line, str(reason), record.text)


def _report(record: _Record, names: list[str], today: date) -> Report:
    if record.fields is None:
        raise _Unusable("broken quoting")
    if len(record.fields) != len(names):
        raise _Unusable(f"{len(record.fields)} fields where {len(names)} are needed")
    fields = {name: text.strip() for name, text in zip(names, record.fields, strict=True)}
    day = _day(fields["date"], today)
    return Report(
        line=record.line,
        text=record.text,
        patient=_identifier(fields["patient"]),
        birth_year=_birth_year(fields["birth_year"], day),
        sex=_word(fields, "sex", _SEX),
        mizaj=_word(fields, "mizaj", _MIZAJ),
        condition=_some(fields, "condition"),
        remedy=_some(fields, "remedy"),
        rating=_grade("rating", fields["rating"]),
        improvement=_grade("improvement", fields["improvement"]),
        compliance=_grade("compliance", fields["compliance"]) if fields["compliance"] else None,
        side_effects=_effects(fields["side_effects"]),
        comment=fields["comment"],
        day=day,
    )


def _some(fields: dict[str, str], name: str) -> str:
    if not fields[name]:
        raise _Unusable(f"{name} is empty")
    return fields[name]


def _identifier(text: str) -> str:
    """Written with Persian digits or letters, it is still the same person."""
    identifier = _digits(unicodedata.normalize("NFKC", text).translate(_PERSIAN)).strip()
    if not identifier:
        raise _Unusable("patient is empty")
    if len(identifier) > IDENTIFIER_LENGTH:
        raise _Unusable(f"patient is longer than {IDENTIFIER_LENGTH} characters")
    return identifier


def _grade(name: str, text: str) -> int:
    if not _GRADE.fullmatch(number := _digits(text)):
        raise _Unusable(f"{name} “{text}” is not a whole number from 1 to 5")
    return int(number)


def _word(fields: dict[str, str], name: str, words: dict[str, str]) -> str:
    if not (text := fields[name]):
        return ""
    meaning = words.get(re.sub("[_-]", "", name_key(text)))
    if meaning is None:
        raise _Unusable(f"{name} “{text}” is unknown")
    return meaning


def _day(text: str, today: date) -> date:
    iso = _digits(text)
    try:
        day = date.fromisoformat(iso) if _DATE.fullmatch(iso) else None
    except ValueError:
        day = None
    if day is None:
        raise _Unusable(f"date “{text}” is not a day written as YYYY-MM-DD")
    if day.year < FIRST_YEAR:
        raise _Unusable(f"date “{text}” is before {FIRST_YEAR}: dates are Gregorian, not Persian")
    if day > today:
        raise _Unusable(f"date “{text}” is in the future")
    return day


def _birth_year(text: str, day: date) -> int | None:
    if not text:
        return None
    if not _YEAR.fullmatch(number := _digits(text)):
        raise _Unusable(f"birth_year “{text}” is not a year")
    year = int(number)
    if year < FIRST_YEAR:
        raise _Unusable(f"birth_year “{text}” is before {FIRST_YEAR}: years are Gregorian, not Persian")
    if year > day.year:
        raise _Unusable(f"birth_year “{text}” is after the date of the report")
    return year


def _effects(text: str) -> tuple[tuple[str, int], ...]:
    """`effect:severity`, separated by `;` or the Persian `؛`."""
    effects: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in re.split("[;؛]", text))):
        name, colon, severity = part.rpartition(":")
        if not colon or not name.strip():
            raise _Unusable(f"side_effects “{part}” is not written as effect:severity")
        effects[name.strip()] = _grade(f"side_effects: severity of {name.strip()}", severity.strip())
    return tuple(effects.items())
