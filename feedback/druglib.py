"""Reader of the Druglib.com drug reviews (UCI Machine Learning Repository, "Drug Review Dataset").

The files are tab separated and quoted; quoted texts hold line breaks and carriage returns. Some rows of the
published files are torn: pieces of a text stand where a row should begin. Every row that cannot be used comes
back as a `Reject`, so that an import can account for each line of the file.

Source: F. Gräßer, S. Kallumadi, H. Malberg, S. Zaunseder, "Aspect-Based Sentiment Analysis of Drug Reviews
Applying Cross-Domain and Cross-Data Learning", Digital Health 2018.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEADER = (
    "",
    "urlDrugName",
    "rating",
    "effectiveness",
    "sideEffects",
    "condition",
    "benefitsReview",
    "sideEffectsReview",
    "commentsReview",
)
EFFECTIVENESS = {
    "Ineffective": 1,
    "Marginally Effective": 2,
    "Moderately Effective": 3,
    "Considerably Effective": 4,
    "Highly Effective": 5,
}
SIDE_EFFECTS = {
    "No Side Effects": 1,
    "Mild Side Effects": 2,
    "Moderate Side Effects": 3,
    "Severe Side Effects": 4,
    "Extremely Severe Side Effects": 5,
}

# A quote that is never closed would swallow the rest of the file: these bound one record and the memory.
MAX_LINE_BYTES = 1 << 20
MAX_RECORD_LINES = 500

_RATING = re.compile(r"[1-9]|10", re.ASCII)
_ROW_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
# Also the Arabic comma, semicolon and question mark, and the Urdu full stop.
_TRAILING = " .,;:!?-/\u060c\u061b\u061f\u06d4"


class UnreadableFile(ValueError):
    """The file as a whole cannot be read: not there, not text, not UTF-8, or with another header."""


@dataclass(frozen=True)
class Report:
    """One usable review; grades run from 1 (least) to 5 (most), `line` is where the record begins."""

    line: int
    row_id: int
    drug: str
    condition: str
    rating: int
    effectiveness: int
    side_effects: int
    comment: str

    @property
    def success(self) -> bool:
        """At least moderately effective, with side effects less than severe."""
        return (
            self.effectiveness >= EFFECTIVENESS["Moderately Effective"]
            and self.side_effects < SIDE_EFFECTS["Severe Side Effects"]
        )


@dataclass(frozen=True)
class Reject:
    """One row that cannot be used, why, and its text as it stands in the file."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class _Record:
    """The fields that start at `line`, or None where the quoting is broken, and the text they stand in."""

    line: int
    fields: list[str] | None
    text: str


class _Unusable(ValueError):
    """Why a record is no report."""


def read(path: str | Path) -> Iterator[Report | Reject]:
    """Read the reports of a file in its order, one `Report` or `Reject` per record, in little memory.

    Lines are counted from 1, the header's, and end at a line feed. A record whose quoting is broken is
    rejected alone: the line after it begins a new record. Raises UnreadableFile when the first item is asked
    for if the file is not there, empty, or lacks a column of `HEADER` (the order is free), and at a later
    item on a line that is binary, not UTF-8 or over 1 MiB: an import that must be whole needs a transaction.
    """
    try:
        with Path(path).open("rb") as file:
            yield from _items(_records(_lines(file)))
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from error


def normalise_condition(text: str) -> str:
    """One spelling for a condition: no case, single spaces, no punctuation at the end.

    "Depression ", "DEPRESSION." and "depression" are the same. Compatibility forms become plain ones (full
    width letters, Arabic presentation forms); a zero-width non-joiner stays, as Persian needs it. Doing it
    twice changes nothing. A text of nothing but spaces and punctuation gives "".
    """
    # The order of Unicode's definition D146: folding may leave characters that need composing, and again.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold()).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split()).rstrip(_TRAILING)


def _items(records: Iterator[_Record]) -> Iterator[Report | Reject]:
    names = _names(next(records, None))
    for record in records:
        try:
            yield _report(record, names)
        except _Unusable as reason:
            yield Reject(record.line, str(reason), record.text)


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise UnreadableFile(f"line {number} is longer than {MAX_LINE_BYTES} bytes")
        if b"\0" in raw:
            raise UnreadableFile(f"line {number} is binary, not text")
        try:
            # Windows programs write a mark in front of the first line.
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UnreadableFile(f"line {number} is not UTF-8") from None


def _records(lines: Iterator[tuple[int, str]]) -> Iterator[_Record]:
    ahead: deque[tuple[int, str]] = deque()
    while first := (ahead.popleft() if ahead else next(lines, None)):
        taken = [first]
        try:
            # A reader per record: strict, it stumbles over a lost quote, and what follows can be read afresh.
            fields = next(csv.reader(_feed(taken, ahead, lines), delimiter="\t", strict=True))
        except csv.Error:
            ahead.extendleft(reversed(taken[1:]))
            yield _Record(first[0], None, first[1])
        else:
            yield _Record(first[0], fields, "".join(text for _, text in taken))


def _feed(
    taken: list[tuple[int, str]], ahead: deque[tuple[int, str]], lines: Iterator[tuple[int, str]]
) -> Iterator[str]:
    """The lines of one record as its reader asks for them, noting in `taken` those it took."""
    yield taken[0][1]
    while len(taken) < MAX_RECORD_LINES and (line := ahead.popleft() if ahead else next(lines, None)):
        taken.append(line)
        yield line[1]


def _names(header: _Record | None) -> list[str]:
    if header is None:
        raise UnreadableFile("the file is empty")
    names = header.fields or []
    missing = [name or "the row id (a column without a name)" for name in HEADER if name not in names]
    if missing:
        raise UnreadableFile(f"the header lacks {', '.join(missing)}")
    if len(set(names)) < len(names):
        raise UnreadableFile("the header has two columns of one name")
    return names


def _report(record: _Record, names: list[str]) -> Report:
    if record.fields is None:
        raise _Unusable("broken quoting")
    if len(record.fields) != len(names):
        raise _Unusable(f"{len(record.fields)} fields where {len(names)} are needed")
    fields = dict(zip(names, record.fields, strict=True))
    return Report(
        line=record.line,
        row_id=_whole(fields, "", _ROW_ID, "row id is not a whole number"),
        drug=_some(fields, "urlDrugName"),
        condition=_some(fields, "condition"),
        rating=_whole(fields, "rating", _RATING, "rating is not a whole number from 1 to 10"),
        effectiveness=_grade(fields, "effectiveness", EFFECTIVENESS),
        side_effects=_grade(fields, "sideEffects", SIDE_EFFECTS),
        comment=fields["commentsReview"].strip(),
    )


def _whole(fields: dict[str, str], name: str, pattern: re.Pattern[str], otherwise: str) -> int:
    text = fields[name].strip()
    if not pattern.fullmatch(text):
        raise _Unusable(otherwise)
    return int(text)


def _some(fields: dict[str, str], name: str) -> str:
    if not (text := fields[name].strip()):
        raise _Unusable(f"{name} is empty")
    return text


def _grade(fields: dict[str, str], name: str, grades: dict[str, int]) -> int:
    if (text := fields[name].strip()) not in grades:
        raise _Unusable(f"{name} is none of its five grades")
    return grades[text]
