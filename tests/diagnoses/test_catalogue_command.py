from __future__ import annotations

import csv
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

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


@pytest.mark.parametrize(("column", "value", "said"), [
    ("warmth", "9", "warmth"), ("warmth", "hot", "hot"), ("kind", "magic", "magic"), ("name_fa", "", "name_fa"),
    ("slug", "not a slug", "slug"), ("confidence", "sure", "sure"), ("name_en", "x" * 201, "name_en"),
])  # fmt: skip
def test_a_bad_row_leaves_the_catalogue_as_it_was(folder: Path, column: str, value: str, said: str) -> None:
    path = folder / "remedies.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    rows[60][column] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    with pytest.raises(CommandError, match=f"(?s)left as it was.*{said}"):
        load(folder)

    assert counts() == {Remedy: 0, Condition: 0, SideEffect: 0}


def test_a_missing_file_or_column_leaves_the_catalogue_as_it_was(folder: Path) -> None:
    (folder / "side_effects.csv").unlink()
    with pytest.raises(CommandError, match=r"side_effects\.csv"):
        load(folder)

    (folder / "side_effects.csv").write_text("name_en,name_fa\nNausea,تهوع\n", encoding="utf-8")
    with pytest.raises(CommandError, match="slug"):
        load(folder)

    assert counts() == {Remedy: 0, Condition: 0, SideEffect: 0}


def test_a_file_that_is_not_utf_8_leaves_the_catalogue_as_it_was(folder: Path) -> None:
    (folder / "conditions.csv").write_bytes("slug,name_en,name_fa\na,A,س\n".encode("cp1256"))

    with pytest.raises(CommandError, match="left as it was"):
        load(folder)

    assert counts() == {Remedy: 0, Condition: 0, SideEffect: 0}
