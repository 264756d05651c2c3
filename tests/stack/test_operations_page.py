"""The commands of docs/operations.md, run in their order: here they are, on a server they would be.

What a server has at fixed places (release, /etc/avicenna, addresses) is put in the place of the page's words; nothing
else is changed. A block that is not run says why in a comment above itself.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run import ROOT
from tests.stack.servers import SYSTEM_PATH
from tests.stack.stack import Stack

PAGE = ROOT / "docs" / "operations.md"
BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?```sh\n(?P<commands>.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[tuple[str, str]]:
    """Mark and commands of each."""
    for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        yield found["mark"] or "", found["commands"]


RUN = [commands for mark, commands in blocks() if not mark.startswith("not run")]


def here(clinic: Stack, commands: str) -> str:
    """The page's places and addresses → those of this stack."""
    etc = clinic.folder / "etc"
    places = {
        "/srv/avicenna/current": str(ROOT),
        "/srv/avicenna/static": clinic.env["STATIC_ROOT"],
        "/etc/avicenna": str(etc),
        "/var/www/avicenna": str(clinic.folder / "webroot"),
        "/var/log/nginx/avicenna.log": str(clinic.logs / "nginx-access.log"),
        "/var/log/nginx/error.log": str(etc / "nginx-error.log"),
        "AVICENNA_RUN=/run\n": f"AVICENNA_RUN={clinic.run}\n",
        "postgresql:///avicenna": clinic.postgresql.url,
        "redis://127.0.0.1:6379/0": clinic.redis_url,
        "http://clinic.example": f"http://localhost:{clinic.http_port}",
        "https://clinic.example": clinic.url,
        "clinic.example": "localhost",
        "psql avicenna": f"psql {clinic.postgresql.url}",
    }
    for word, place in places.items():
        commands = commands.replace(word, place)
    return commands


@pytest.fixture(scope="module")
def shell(clinic: Stack) -> Iterator[dict[str, str]]:
    """The environment of whoever types: nothing of ours is set."""
    etc = clinic.folder / "etc"
    etc.mkdir(exist_ok=True)
    for name in ("certificate.pem", "certificate-key.pem"):
        (etc / name).write_bytes((clinic.folder / name).read_bytes())
    known = {name: os.environ[name] for name in ("HOME", "LANG", "USER") if name in os.environ}
    yield known | {"PATH": SYSTEM_PATH, "CURL_CA_BUNDLE": str(clinic.certificate)}


@pytest.mark.thorough
@pytest.mark.parametrize("commands", RUN, ids=[commands.strip().splitlines()[-1][:60] for commands in RUN])
def test_what_the_page_says_works(clinic: Stack, shell: dict[str, str], commands: str, tmp_path: Path) -> None:
    rolls = "docker/roll.py" in commands
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here(clinic, commands)],
        cwd=tmp_path,
        env=clinic.env if rolls else shell,
        text=True,
        capture_output=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_block_is_run_or_says_why_not() -> None:
    marks = [mark for mark, _ in blocks()]
    count = PAGE.read_text(encoding="utf-8").count("```sh\n")

    assert len(marks) == count > 15
    assert all(not mark or mark.startswith(("not run: ", "as: ")) for mark in marks)
    assert len(RUN) >= 10


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE.read_text(encoding="utf-8"))

    assert named and all((PAGE.parent / name).exists() for name in named)
