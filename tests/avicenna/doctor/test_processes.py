"""The doctor as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


def as_a_process(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "doctor", *arguments]
    environment = os.environ | {"DEBUG": "1", "DATABASE_CONN_MAX_AGE": "0"} | env
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_a_database_that_is_gone_leaves_the_rest_to_be_examined() -> None:
    answer = as_a_process(DATABASE_URL="postgresql://nobody:hidden@127.0.0.1:1/clinic", REDIS_URL="")

    assert answer.returncode == 1
    assert "PostgreSQL does not answer (127.0.0.1, clinic)" in answer.stdout
    assert "not examined: the database does not answer" in answer.stdout
    assert "disk" in answer.stdout
    assert "hidden" not in answer.stdout + answer.stderr


@pytest.mark.parametrize("arguments", [("--url", "clinic.example"), ("--only", "nonsense")])
def test_what_cannot_be_examined_is_said(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("doctor", *arguments)

    assert refused.value.returncode in (1, 2)  # a wrong argument is 2 on the command line


def test_without_settings_it_cannot_run() -> None:
    answer = as_a_process(DEBUG="0", SECRET_KEY="")

    assert answer.returncode == 2
    assert "SECRET_KEY must be set" in answer.stderr


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no clock of its own")
def test_clocks_that_differ(tmp_path: Path) -> None:
    from tests.chaos.servers import Clock

    Clock(tmp_path / "clock").jump(60)
    program = "-c import+sys;from+tests.chaos.levers+import+move_clock;move_clock();from+manage+import+main;main()"
    command = [sys.executable, *(word.replace("+", " ") for word in program.split()), "doctor", "--only", "clock"]
    environment = os.environ | {"DEBUG": "1", "CHAOS_CLOCK": str(tmp_path / "clock"), "REDIS_URL": ""}
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)

    assert "clock          that of the database is 60.0 s behind this machine's" in answer.stdout
