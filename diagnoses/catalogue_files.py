"""Reads the catalogue's CSV files into the database."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from diagnoses.actions import save_term
from diagnoses.models import CatalogueTerm, Condition, Remedy, SideEffect

FOLDER = Path(__file__).parent / "catalogue"
FILES: dict[str, type[CatalogueTerm]] = {
    "conditions.csv": Condition,
    "remedies.csv": Remedy,
    "side_effects.csv": SideEffect,
}
DEGREES = {"warmth", "moisture"}
# The database's own, and what the clinic decides.
NO_COLUMNS = {"id", "is_active"}


class BadCatalogue(Exception):
    """A file cannot be loaded. The message names the file, the line where there is one, and what is wrong."""

    def __init__(self, file: str, wrong: str, *, line: int | None = None) -> None:
        super().__init__(f"{file}, line {line}: {wrong}" if line else f"{file}: {wrong}")


@dataclass(frozen=True)
class Loaded:
    """How many terms of a file were new, changed, and as they were."""

    file: str
    created: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Row:
    """`line` is the last one of the row in the file."""

    line: int
    cells: dict[str, str]


@transaction.atomic
def load(folder: Path = FOLDER) -> list[Loaded]:
    """All files or none. Terms the clinic added, and whether a term is in use, stay as they are.

    Raises `BadCatalogue`.
    """
    return [_load_file(folder / name, model) for name, model in FILES.items()]


def _load_file(path: Path, model: type[CatalogueTerm]) -> Loaded:
    known = {term.slug: term for term in model._default_manager.all()}
    lines: dict[str, int] = {}
    outcome: Counter[str] = Counter()
    for row in _rows(path, model):
        slug = row.cells["slug"]
        if slug in lines:
            raise BadCatalogue(path.name, f"slug: “{slug}” stands in line {lines[slug]} already", line=row.line)
        lines[slug] = row.line
        try:
            outcome[_store(known.get(slug) or model(slug=slug), _values(row))] += 1
        except ValidationError as error:
            raise BadCatalogue(path.name, _told(error), line=row.line) from error
    return Loaded(path.name, outcome["created"], outcome["changed"], outcome["unchanged"])


def _rows(path: Path, model: type[CatalogueTerm]) -> Iterator[Row]:
    reader = csv.reader(StringIO(_text(path), newline=""), strict=True)
    try:
        columns = _columns(path, model, next(reader, []))
        for cells in filter(None, reader):
            if len(cells) != len(columns):
                wrong = f"{len(cells)} cells for {len(columns)} columns"
                raise BadCatalogue(path.name, wrong, line=reader.line_num)
            yield Row(reader.line_num, dict(zip(columns, cells, strict=True)))
    except csv.Error as error:
        raise BadCatalogue(path.name, str(error), line=reader.line_num) from error


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadCatalogue(path.name, f"{error.strerror} in {path.parent}") from error
    try:
        # Spreadsheets put a mark in front of UTF-8.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadCatalogue(path.name, "this is not UTF-8", line=line) from error


def _columns(path: Path, model: type[CatalogueTerm], found: list[str]) -> list[str]:
    expected = [field.name for field in model._meta.concrete_fields if field.name not in NO_COLUMNS]
    if sorted(found) != sorted(expected):
        wrong = f"the columns must be {', '.join(expected)}, not {', '.join(found) or 'none'}"
        raise BadCatalogue(path.name, wrong, line=1)
    return found


def _store(term: CatalogueTerm, values: dict[str, Any]) -> str:
    is_new = term.pk is None
    if not is_new and all(getattr(term, name) == value for name, value in values.items()):
        return "unchanged"
    for name, value in values.items():
        setattr(term, name, value)
    save_term(actor=None, term=term)
    return "created" if is_new else "changed"


def _values(row: Row) -> dict[str, Any]:
    return {name: _degree(name, text) if name in DEGREES else text for name, text in row.cells.items()}


def _degree(name: str, text: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise ValidationError({name: f"“{text}” is not a whole number."}) from None


def _told(error: ValidationError) -> str:
    told = (f"{name}: {' '.join(why)}" for name, why in error.message_dict.items())
    return " ".join(told).removeprefix(f"{NON_FIELD_ERRORS}: ")
