"""Reader of the Druglib.com drug reviews (UCI Machine Learning Repository, "Drug Review Dataset").

The files are tab separated and quoted; quoted texts hold line breaks and carriage returns. Some rows of the
published files are torn: pieces of a text stand where a row should begin. Every row that cannot be used comes
back as a `Reject`, so that an import can account for each line of the file.

Source: F. Gräßer, S. Kallumadi, H. Malberg, S. Zaunseder, "Aspect-Based Sentiment Analysis of Drug Reviews
Applying Cross-Domain and Cross-Data Learning", Digital Health 2018.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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

_RATING = re.compile(r"[1-9]|10", re.ASCII)
_ROW_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
# Also the Arabic comma, semicolon and question mark, and the Urdu full stop.
_TRAILING = " .,;:!?-/\u060c\u061b\u061f\u06d4"


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


def read(path: str | Path) -> Iterator[Report | Reject]:
    """Read the reports of a file in its order, one `Report` or `Reject` per record, in little memory.

    Lines are counted from 1, the header's, and end at a line feed. A record whose quoting is broken is
    rejected alone: the line after it begins a new record. Raises UnreadableFile when the first item is asked
    for if the file is not there, empty, or lacks a column of `HEADER` (the order is free), and at a later
    item on a line that is binary, not UTF-8 or over 1 MiB: an import that must be whole needs a transaction.
    """
    records = read_records(path, delimiter="\t")
    names = _checked(read_header(records))
    yield from parse(records, partial(_report, names=names))


def normalise_condition(text: str) -> str:
    """One spelling for a condition: no case, single spaces, no punctuation at the end.

    "Depression ", "DEPRESSION." and "depression" are the same. Compatibility forms become plain ones (full
    width letters, Arabic presentation forms); a zero-width non-joiner stays, as Persian needs it. Doing it
    twice changes nothing. A text of nothing but spaces and punctuation gives "".
    """
    # The order of Unicode's definition D146: folding may leave characters that need composing, and again.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold()).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split()).rstrip(_TRAILING)


def _checked(names: list[str]) -> list[str]:
    missing = [name or "the row id (a column without a name)" for name in HEADER if name not in names]
    if missing:
        raise UnreadableFile(f"the header lacks {', '.join(missing)}")
    if len(set(names)) < len(names):
        raise UnreadableFile("the header has two columns of one name")
    return names


def _report(record: Record, names: list[str]) -> Report:
    fields = record.named(names)
    return Report(
        line=record.line,
        row_id=_whole(fields, "", _ROW_ID, "row id is not a whole number"),
        drug=filled(fields, "urlDrugName"),
        condition=filled(fields, "condition"),
        rating=_whole(fields, "rating", _RATING, "rating is not a whole number from 1 to 10"),
        effectiveness=_grade(fields, "effectiveness", EFFECTIVENESS),
        side_effects=_grade(fields, "sideEffects", SIDE_EFFECTS),
        comment=fields["commentsReview"],
    )


def _whole(fields: dict[str, str], name: str, pattern: re.Pattern[str], otherwise: str) -> int:
    text = fields[name]
    if not pattern.fullmatch(text):
        raise Unusable(otherwise)
    return int(text)


def _grade(fields: dict[str, str], name: str, grades: dict[str, int]) -> int:
    if (text := fields[name]) not in grades:
        raise Unusable(f"{name} is none of its five grades")
    return grades[text]
