"""The libraries of the dashboard are those that were recorded."""

from __future__ import annotations

import re

from dashboard.vendoring import VENDOR, digest, read_manifest


def test_the_files_are_those_of_the_manifest() -> None:
    found = {path.name: digest(path.read_bytes()) for path in VENDOR.iterdir()}

    assert found == read_manifest()["sha256"]


def test_every_package_is_pinned_and_brings_its_licence() -> None:
    for package in read_manifest()["packages"]:
        assert re.fullmatch("[0-9a-f]{64}", package["sha256"]), package["name"]
        assert any(name.endswith(".LICENSE") for name in package["files"].values()), package["name"]


def test_modules_import_only_what_lies_beside_them() -> None:
    for module in VENDOR.glob("*.js"):
        imported = re.findall(r'\bfrom"([^"]+)"', module.read_text(encoding="utf-8"))
        assert all((VENDOR / path).is_file() for path in imported), (module.name, imported)
