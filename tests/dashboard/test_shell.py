"""What the server gives for the app on the device: the worker with its shell, and the manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from PIL import Image

from dashboard import shell

OTHERS = ["admin", "drf_spectacular_sidecar", "rest_framework"]


@pytest.fixture
def deployed(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Files under the names of a deployment."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "avicenna.staticfiles.HashedStaticFiles"}}
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=OTHERS)
    yield tmp_path


def shell_of(client: Client) -> dict[str, Any]:
    first, _, _ = client.get("/sw.js").text.partition(";\n")
    told: dict[str, Any] = json.loads(first.removeprefix("const SHELL = "))
    return told


def test_the_worker_may_serve_the_whole_page_and_is_asked_for_anew(client: Client) -> None:
    response = client.get("/sw.js")

    assert response["Content-Type"].startswith("text/javascript")
    assert (response["Service-Worker-Allowed"], response["Cache-Control"]) == ("/", "no-cache")
    assert "worker-src 'self'" in client.get("/")["Content-Security-Policy"]


def test_the_shell_is_all_that_the_page_names_and_nothing_of_the_api(client: Client, deployed: Path) -> None:
    files = shell_of(client)["files"]

    page = client.get("/").text
    named = {part.split('"')[0] for part in page.split('="')[1:] if part.startswith("/static/")}
    assert {path for path in named if "/icons/" not in path} <= set(files)
    assert all((deployed / path.removeprefix("/static/")).is_file() for path in files)


def test_the_page_travels_small(client: Client) -> None:
    page = client.get("/", headers={"Accept-Encoding": "gzip"})

    assert page["Content-Encoding"] == "gzip"
    assert len(page.content) < 3_000


def test_another_file_makes_another_version(client: Client, settings: Any, tmp_path: Path, monkeypatch: Any) -> None:
    settings.DEBUG = True
    before = shell_of(client)["version"]
    assert shell_of(client)["version"] == before
    other = tmp_path / "sw.js"
    other.write_text(shell.WORKER.read_text(encoding="utf-8") + "// newer", encoding="utf-8")

    monkeypatch.setattr(shell, "WORKER", other)

    assert shell_of(client)["version"] != before


@pytest.mark.parametrize(("language", "name", "direction"), [("fa", "ابن سینا", "rtl"), ("en", "Avicenna", "ltr")])
def test_the_manifest_speaks_the_chosen_language(client: Client, language: str, name: str, direction: str) -> None:
    response = client.get("/manifest.webmanifest", {"language": language})

    manifest = response.json()
    assert response["Content-Type"] == "application/manifest+json"
    assert (manifest["name"], manifest["lang"], manifest["dir"]) == (name, language, direction)


def test_a_language_nobody_speaks_gives_the_browsers(client: Client) -> None:
    headers = {"Accept-Language": "fa"}

    assert client.get("/manifest.webmanifest?language=xx", headers=headers).json()["lang"] == "fa"


def test_every_icon_is_as_large_as_it_says(client: Client) -> None:
    for icon in client.get("/manifest.webmanifest").json()["icons"]:
        path = shell.STATIC / icon["src"].removeprefix("/static/")
        if icon["type"] == "image/png":
            assert "{}x{}".format(*Image.open(path).size) == icon["sizes"]
        else:
            assert path.is_file()
