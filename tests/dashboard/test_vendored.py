"""The libraries and the font of the dashboard, and what its tests bring along, are those that were recorded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from fontTools.ttLib import TTFont

from dashboard.shell import STATIC
from dashboard.vendoring import MANIFEST, digest, folder_of, read_manifest

TESTS = Path(__file__).resolve().parents[1]
VENDOR = folder_of(read_manifest())


ADMIN = TESTS.parent / "avicenna/vendored.json"
CHARTS = TESTS.parent / "analytics/vendored.json"


@pytest.fixture(
    params=[MANIFEST, ADMIN, CHARTS, TESTS / "e2e/vendored.json"], ids=["dashboard", "admin", "charts", "e2e"]
)
def path(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_the_files_are_those_of_the_manifest(path: Path) -> None:
    manifest = read_manifest(path)

    found = {file.name: digest(file.read_bytes()) for file in folder_of(manifest, path).iterdir()}

    assert found == manifest["sha256"]


def test_every_package_is_pinned_and_brings_its_licence(path: Path) -> None:
    for package in read_manifest(path)["packages"]:
        assert re.fullmatch("[0-9a-f]{64}", package["sha256"]), package["name"]
        # The licence of Alpine lies in unfold's folder of the same name.
        has_own = any(name.endswith(".LICENSE") for name in package["files"].values())
        assert has_own or (path == ADMIN and finders.find("unfold/js/alpine/LICENSE")), package["name"]


def test_the_admin_takes_our_alpine() -> None:
    """Which evaluates nothing: the other would need a weaker policy."""
    found = finders.find("unfold/js/alpine/alpine.js")

    assert found and Path(found) == folder_of(read_manifest(ADMIN), ADMIN) / "alpine.js"


def test_modules_import_only_what_lies_beside_them() -> None:
    for module in VENDOR.glob("*.js"):
        imported = re.findall(r'\bfrom"([^"]+)"', module.read_text(encoding="utf-8"))
        assert all((VENDOR / path).is_file() for path in imported), (module.name, imported)


def font() -> tuple[TTFont, dict[str, Any]]:
    """The Persian font, and what was to be kept of it."""
    package = next(package for package in read_manifest()["packages"] if "subset" in package)
    [(name, kept)] = package["subset"].items()
    return TTFont(VENDOR / name), kept


def ranges(letters: list[str]) -> set[int]:
    ends = [part.split("-") for part in letters]
    return {letter for part in ends for letter in range(int(part[0], 16), int(part[-1], 16) + 1)}


def test_the_font_holds_what_was_kept_and_the_page_asks_it_for_nothing_else() -> None:
    held, kept = font()
    styles = (STATIC / "dashboard/styles/tokens.css").read_text(encoding="utf-8")
    asked = re.search(r"unicode-range: (.*);", styles)
    weights = re.search(r"font-weight: (\d+) (\d+);", styles)
    assert asked and weights

    assert set(held.getBestCmap()) <= ranges(kept["letters"])
    assert asked[1].replace("U+", "").split(", ") == kept["letters"]
    assert [int(weight) for weight in weights.groups()] == kept["weights"]


@pytest.mark.parametrize(
    "source", ["dashboard/static/dashboard/translations/fa.js", "diagnoses/catalogue/remedies.csv"]
)
def test_the_font_has_every_persian_letter_that_is_said(source: str) -> None:
    text = (TESTS.parent / source).read_text(encoding="utf-8")
    said = {ord(letter) for letter in text if 0x600 <= ord(letter) <= 0x6FF}

    assert said - set(font()[0].getBestCmap()) == set()
