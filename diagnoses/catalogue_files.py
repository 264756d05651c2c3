"""Reads CSV files into the catalogue, all or nothing, and writes it out again in the same shape."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from avicenna.csv_cells import unguarded
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


@dataclass(frozen=True)
class Problem:
    wrong: str
    line: int | None = None


class BadCatalogue(Exception):
    """A file cannot be loaded. The message names the file, each line where there is one, and what is wrong."""

    def __init__(self, file: str, *problems: Problem) -> None:
        self.problems = problems
        said = (f"{file}, line {one.line}: {one.wrong}" if one.line else f"{file}: {one.wrong}" for one in problems)
        super().__init__("\n".join(said))


@dataclass(frozen=True)
class Stored:
    """What one line did; `changes` are of each column the old and the new value, none where all was as it is."""

    line: int
    slug: str
    is_new: bool
    changes: Mapping[str, tuple[object, object]]


@dataclass(frozen=True)
class Loaded:
    """What became of a file, line by line."""

    file: str
    rows: list[Stored]

    @property
    def created(self) -> int:
        return sum(row.is_new for row in self.rows)

    @property
    def changed(self) -> int:
        return sum(bool(row.changes) and not row.is_new for row in self.rows)

    @property
    def unchanged(self) -> int:
        return len(self.rows) - self.created - self.changed


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
    return [load_file(actor=None, file=name, data=_data(folder / name), model=model) for name, model in FILES.items()]


@transaction.atomic
def load_file(*, actor: User | None, file: str, data: bytes, model: type[CatalogueTerm]) -> Loaded:
    """All lines or none. Raises `BadCatalogue` with everything that is wrong, in the reader's language."""
    known = {term.slug: term for term in model._default_manager.all()}
    lines: dict[str, int] = {}
    stored: list[Stored] = []
    problems: list[Problem] = []
    for row in _rows(file, data, model):
        try:
            slug = row.cells["slug"]
            if slug in lines:
                said = _("slug: “%(slug)s” stands in line %(line)s already") % {"slug": slug, "line": lines[slug]}
                raise ValidationError(said)
            lines[slug] = row.line
            stored.append(_store(actor, known.get(slug) or model(slug=slug), row))
        except ValidationError as error:
            problems.append(Problem(_told(error), row.line))
    if problems:
        raise BadCatalogue(file, *problems)
    return Loaded(file, stored)


def preview(*, actor: User, file: str, data: bytes, model: type[CatalogueTerm]) -> Loaded:
    """What `load_file` would do; nothing of it stays. Raises the same."""
    with transaction.atomic():
        loaded = load_file(actor=actor, file=file, data=data, model=model)
        transaction.set_rollback(True)
    return loaded


def columns(model: type[CatalogueTerm]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if field.name not in NO_COLUMNS]


def rows(model: type[CatalogueTerm]) -> Iterator[list[object]]:
    """The head and every term, as `load_file` reads them."""
    named = columns(model)
    yield list(named)
    for term in model._default_manager.order_by("slug"):
        yield [getattr(term, name) for name in named]


def _rows(file: str, data: bytes, model: type[CatalogueTerm]) -> Iterator[Row]:
    reader = csv.reader(StringIO(_text(file, data), newline=""), strict=True)
    try:
        names = _columns(file, model, next(reader, []))
        for cells in filter(None, reader):
            if len(cells) != len(names):
                wrong = _("%(cells)s cells for %(columns)s columns") % {"cells": len(cells), "columns": len(names)}
                raise BadCatalogue(file, Problem(wrong, reader.line_num))
            yield Row(reader.line_num, dict(zip(names, map(unguarded, cells), strict=True)))
    except csv.Error as error:
        raise BadCatalogue(file, Problem(str(error), reader.line_num)) from error


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCatalogue(path.name, Problem(f"{error.strerror} in {path.parent}")) from error


def _text(file: str, data: bytes) -> str:
    try:
        # Spreadsheets put a mark in front of UTF-8.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadCatalogue(file, Problem(_("this is not UTF-8"), line)) from error


def _columns(file: str, model: type[CatalogueTerm], found: list[str]) -> list[str]:
    expected = columns(model)
    if sorted(found) != sorted(expected):
        names = {"expected": ", ".join(expected), "found": ", ".join(found) or _("none")}
        raise BadCatalogue(file, Problem(_("the columns must be: %(expected)s – and not: %(found)s") % names, line=1))
    return found


def _store(actor: User | None, term: CatalogueTerm, row: Row) -> Stored:
    values = {name: _degree(name, text) if name in DEGREES else text for name, text in row.cells.items()}
    is_new = term.pk is None
    before = {name: None if is_new else getattr(term, name) for name in values}
    changes = {name: (before[name], value) for name, value in values.items() if before[name] != value}
    if is_new or changes:
        for name, value in values.items():
            setattr(term, name, value)
        save_term(actor=actor, term=term)
    return Stored(row.line, row.cells["slug"], is_new, changes)


def _degree(name: str, text: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise ValidationError({name: _("“%(text)s” is not a whole number.") % {"text": text}}) from None


def _told(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    told = (f"{name}: {' '.join(why)}" for name, why in error.message_dict.items())
    return " ".join(told).removeprefix(f"{NON_FIELD_ERRORS}: ")
