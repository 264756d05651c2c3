"""Reads delimited text one record at a time and loses no line of it.

What files written by people bring along is expected here: texts with line breaks, a quote that is never closed, a
mark in front of the first line. Lines are counted from 1 and end at a line feed.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

# A quote that is never closed would swallow the rest of the file: these bound one record and the memory.
MAX_LINE_BYTES = 1 << 20
MAX_RECORD_LINES = 500

Line = tuple[int, str]
Item = TypeVar("Item")


class UnreadableFile(ValueError):
    """The file as a whole cannot be read: not there, not text, not UTF-8, or with another header."""


class Unusable(ValueError):
    """Why a row cannot become feedback here."""


@dataclass(frozen=True)
class Reject:
    """One row that cannot be used, why, and its text as it stands in the file."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Record:
    """The fields that start at `line`, or None where the quoting is broken, and the text they stand in."""

    line: int
    fields: list[str] | None
    text: str

    @property
    def is_empty(self) -> bool:
        return self.fields is not None and not any(field.strip() for field in self.fields)

    def named(self, names: list[str]) -> dict[str, str]:
        """The fields by column, without spaces around them. Raises Unusable."""
        if self.fields is None:
            raise Unusable("broken quoting")
        if len(self.fields) != len(names):
            raise Unusable(f"{len(self.fields)} fields where {len(names)} are needed")
        return {name: text.strip() for name, text in zip(names, self.fields, strict=True)}


def read_records(path: str | Path, *, delimiter: str, advice: str = "") -> Iterator[Record]:
    """The records of a UTF-8 file in its order, the header first, in little memory.

    A record whose quoting is broken is its first line alone: the line after it begins a new record. Raises
    UnreadableFile when the first record is asked for if the file is not there, and at any record on a line that is
    binary, over 1 MiB or not UTF-8; `advice` then says what to do about it.
    """
    try:
        with Path(path).open("rb") as file:
            yield from _records(_lines(file, advice), delimiter)
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror}") from error


def read_header(records: Iterator[Record]) -> list[str]:
    """Takes the first record. Raises UnreadableFile if there is none."""
    header = next(records, None)
    if header is None:
        raise UnreadableFile("the file is empty")
    return header.fields or []


def parse(records: Iterable[Record], report: Callable[[Record], Item]) -> Iterator[Item | Reject]:
    """What `report` makes of each record, or a `Reject` where it raises Unusable."""
    for record in records:
        try:
            yield report(record)
        except Unusable as reason:
            yield Reject(record.line, str(reason), record.text)


def filled(fields: dict[str, str], name: str) -> str:
    """The text of a field that must not be empty. Raises Unusable."""
    if not fields[name]:
        raise Unusable(f"{name} is empty")
    return fields[name]


def _lines(file: BinaryIO, advice: str) -> Iterator[Line]:
    number = 0
    while raw := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise UnreadableFile(f"line {number} is longer than {MAX_LINE_BYTES} bytes")
        if b"\0" in raw:
            raise UnreadableFile(f"line {number} is binary, not text")
        try:
            # Spreadsheets and other Windows programs write a mark in front of the first line.
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UnreadableFile(f"line {number} is not UTF-8{advice and f': {advice}'}") from None


def _records(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    ahead: deque[Line] = deque()
    while first := (ahead.popleft() if ahead else next(lines, None)):
        taken = [first]
        try:
            # A reader per record: strict, it stumbles over a lost quote, and what follows can be read afresh.
            fields = next(csv.reader(_feed(taken, ahead, lines), delimiter=delimiter, strict=True))
        except csv.Error:
            ahead.extendleft(reversed(taken[1:]))
            yield Record(first[0], None, first[1])
        else:
            yield Record(first[0], fields, "".join(text for _, text in taken))


def _feed(taken: list[Line], ahead: deque[Line], lines: Iterator[Line]) -> Iterator[str]:
    """The lines of one record as its reader asks for them, noting in `taken` those it took."""
    yield taken[0][1]
    while len(taken) < MAX_RECORD_LINES and (line := ahead.popleft() if ahead else next(lines, None)):
        taken.append(line)
        yield line[1]
