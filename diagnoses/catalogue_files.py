"""Reads the catalogue's CSV files into the database."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Loaded:
    """How many terms of a file were new, changed, and as they were."""

    file: str
    created: int
    changed: int
    unchanged: int


@transaction.atomic
def load(folder: Path = FOLDER) -> list[Loaded]:
    """All files or none. Terms the clinic added, and whether a term is in use, stay as they are.

    Raises `ValidationError` with the row for a value the catalogue cannot hold.
    """
    return [_load_file(folder / name, model) for name, model in FILES.items()]


def _load_file(path: Path, model: type[CatalogueTerm]) -> Loaded:
    known = {term.slug: term for term in model._default_manager.all()}
    outcome: Counter[str] = Counter()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            term = known.get(row["slug"]) or model(slug=row["slug"])
            outcome[_store(term, {name: _value(name, text) for name, text in row.items()})] += 1
    return Loaded(path.name, outcome["created"], outcome["changed"], outcome["unchanged"])


def _store(term: CatalogueTerm, values: dict[str, Any]) -> str:
    is_new = term.pk is None
    if not is_new and all(getattr(term, name) == value for name, value in values.items()):
        return "unchanged"
    for name, value in values.items():
        setattr(term, name, value)
    save_term(actor=None, term=term)
    return "created" if is_new else "changed"


def _value(name: str, text: str) -> Any:
    if name in DEGREES:
        return int(text) if text else None
    return text
