from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from diagnoses.catalogue_files import FOLDER
from diagnoses.models import Condition, Remedy, SideEffect

pytestmark = pytest.mark.django_db

COUNTS = {Remedy: 120, Condition: 53, SideEffect: 40}


def load(folder: Path = FOLDER, **options: object) -> list[str]:
    out = StringIO()
    call_command("load_catalogue", folder=folder, stdout=out, **options)
    return out.getvalue().splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the catalogue's files, to be spoiled."""
    return Path(shutil.copytree(FOLDER, tmp_path / "catalogue"))


def counts() -> dict[object, int]:
    return {model: model.objects.count() for model in COUNTS}


def test_it_brings_the_whole_catalogue() -> None:
    lines = load()

    assert counts() == COUNTS
    assert "remedies.csv: 120 new, 0 changed, 0 as they were" in lines


def test_running_it_again_changes_nothing() -> None:
    load()
    before = [list(model.objects.order_by("pk").values()) for model in COUNTS]

    lines = load()

    assert [list(model.objects.order_by("pk").values()) for model in COUNTS] == before
    assert len(lines) == 3 and all(": 0 new, 0 changed, " in line for line in lines)


def test_every_remedy_says_where_its_degrees_come_from() -> None:
    load()

    assert not Remedy.objects.filter(warmth__isnull=False, source="").exists()
    assert not Remedy.objects.filter(confidence="high", warmth=None, moisture=None).exists()
    assert not [term for model in COUNTS for term in model.objects.all() if not (term.name_fa and term.name_en)]


def test_a_correction_arrives_and_what_the_clinic_decided_stays(folder: Path) -> None:
    load()
    Remedy.objects.filter(slug="cumin").update(is_active=False, name_en="Wrong")
    Remedy.objects.create(slug="our-own", name_en="Our own", name_fa="خودمان", kind="compound")

    lines = load()

    cumin = Remedy.objects.get(slug="cumin")
    assert (cumin.name_en, cumin.is_active, Remedy.objects.count()) == ("Cumin", False, 121)
    assert "remedies.csv: 0 new, 1 changed, 119 as they were" in lines


def test_it_can_be_quiet() -> None:
    assert load(verbosity=0) == []


@pytest.fixture
def refused(folder: Path) -> Callable[[str, str | bytes], str]:
    """Writes one file anew, sees the whole catalogue refused, and returns what was said."""

    def load_with(name: str, content: str | bytes) -> str:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(CommandError, match=r"^The catalogue was left as it was: ") as error:
            load(folder)
        assert (counts(), error.value.returncode) == (dict.fromkeys(COUNTS, 0), 1)
        return str(error.value).partition("was: ")[2]

    return load_with


@pytest.mark.parametrize(("column", "value", "said"), [
    ("warmth", "9", "warmth"), ("warmth", "hot", "“hot” is not a whole number"), ("moisture", "1.5", "“1.5” is not"),
    ("kind", "magic", "magic"), ("name_fa", "", "name_fa"), ("slug", "not a slug", "slug"),
    ("confidence", "sure", "sure"), ("name_en", "x" * 201, "name_en"), ("slug", "cubeb", "stands in line 2 already"),
])  # fmt: skip
def test_a_value_the_catalogue_cannot_hold_is_named(refused: Any, column: str, value: str, said: str) -> None:
    rows = list(csv.DictReader((FOLDER / "remedies.csv").open(encoding="utf-8", newline="")))
    rows[60][column] = value
    file = StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)

    told = refused("remedies.csv", file.getvalue())

    assert told.startswith("remedies.csv, line 62: ") and said in told


def test_everything_that_is_wrong_is_named_at_once(refused: Any) -> None:
    told = refused("side_effects.csv", HEAD + "a b,A,الف,skin\nc,C,پ,skin\nd,,ت,skin\n").splitlines()

    assert [line.partition(": ")[0] for line in told] == ["side_effects.csv, line 2", "side_effects.csv, line 4"]


def test_it_speaks_english_also_where_the_clinic_does_not(refused: Any) -> None:
    with translation.override("fa"):
        assert "cells for 4 columns" in refused("side_effects.csv", HEAD + "a,A\n")


HEAD = "slug,name_en,name_fa,body_system\n"


@pytest.mark.parametrize(("content", "told"), [
    ("", "side_effects.csv, line 1: the columns must be: slug, name_en, name_fa, body_system – and not: none"),
    ("slug,name_en,name_fa\n", "not: slug, name_en, name_fa"),
    (HEAD.replace("slug", "slug,is_active"), "not: slug, is_active, name_en"),
    (HEAD.replace("name_fa", "name_en"), "not: slug, name_en, name_en"),
    (HEAD + "a,A,الف,skin\n\nb,B,ب,skin,more\n", "side_effects.csv, line 4: 5 cells for 4 columns"),
    (HEAD + "a,A,الف\n", "side_effects.csv, line 2: 3 cells for 4 columns"),
    (HEAD + 'a,A,الف,"skin\n', "side_effects.csv, line 2: unexpected end of data"),
    (HEAD.encode() + "a,A,الف,skin\n".encode("cp1256"), "side_effects.csv, line 2: this is not UTF-8"),
])  # fmt: skip
def test_a_file_of_another_shape_is_named_with_the_line(refused: Any, content: str | bytes, told: str) -> None:
    assert told in refused("side_effects.csv", content)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "side_effects.csv").unlink()

    with pytest.raises(CommandError, match=r"left as it was: side_effects\.csv: No such file"):
        load(folder)

    assert counts() == dict.fromkeys(COUNTS, 0)


def test_a_file_saved_by_a_spreadsheet_is_read(folder: Path) -> None:
    path = folder / "conditions.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert "conditions.csv: 53 new, 0 changed, 0 as they were" in load(folder)
