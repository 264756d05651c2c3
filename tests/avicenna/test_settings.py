"""Settings are read in a process of their own, as a server reads them."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.run import PRODUCTION

ROOT = Path(__file__).resolve().parents[2]
INHERITED = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def environment(**changes: str) -> dict[str, str]:
    """Production with some changes; an empty value removes the variable."""
    return {name: value for name, value in (INHERITED | PRODUCTION | changes).items() if value}


def check(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(**changes), capture_output=True, text=True)


def test_production_settings_pass_every_check() -> None:
    assert check("--deploy", "--fail-level", "WARNING").returncode == 0


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS"])
def test_without_a_secret_nothing_starts(name: str) -> None:
    answer = check(**{name: ""})

    assert answer.returncode != 0
    assert answer.stderr.startswith(f"{name} must be set")
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("name", ["DEBUG", "ACCESS_TOKEN_MINUTES", "LOG_LEVEL", "DATABASE_URL", "TRUSTED_PROXIES"])
def test_a_value_of_the_wrong_type_is_named(name: str) -> None:
    answer = check(**{name: "perhaps"})

    assert answer.returncode != 0
    assert name in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(PRODUCTION["SECRET_KEY"] + "\n")

    assert check("--deploy", SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "key")).returncode == 0


PUSH_KEY = base64.urlsafe_b64encode(bytes(31) + b"7").rstrip(b"=").decode()
WRONG: list[tuple[dict[str, str], str]] = [
    ({"FIELD_ENCRYPTION_KEYS": "k:short"}, "avicenna.E001"),
    ({"FIELD_ENCRYPTION_KEYS": "debug:ZGVidWdnaW5nLW9ubHktbmV2ZXItZm9yLXBhdGllbnQ="}, "avicenna.E003"),
    ({"ALLOWED_HOSTS": "*"}, "avicenna.E004"),
    ({"WEBSOCKET_ALLOW_TOKEN_IN_QUERY": "1"}, "avicenna.E005"),
    ({"CORS_ALLOWED_ORIGINS": "http://clinic.example"}, "avicenna.E006"),
    ({"SQL_ECHO": "1"}, "avicenna.E007"),
    ({"RATELIMIT_ENABLE": "0"}, "avicenna.E008"),
    ({"VAPID_PRIVATE_KEY": "short", "VAPID_SUBJECT": "mailto:a@b.example"}, "avicenna.E009"),
    ({"VAPID_PRIVATE_KEY": PUSH_KEY, "VAPID_SUBJECT": "me"}, "avicenna.E010"),
    ({"PUSH_SERVICES": "http://127.0.0.1:9"}, "avicenna.E011"),
    ({"TRUSTED_PROXIES": "10.0.0.7,0.0.0.0/0"}, "avicenna.E012"),
    ({"STAFF_TOTP_REQUIRED": "0"}, "avicenna.E014"),
    ({"CSRF_TRUSTED_ORIGINS": "http://clinic.example"}, "avicenna.E006"),
    ({"BACKUP_KEY": "b:short"}, "avicenna.E020"),
    ({"BACKUP_KEY": "b:" + PRODUCTION["FIELD_ENCRYPTION_KEYS"].partition(":")[2]}, "avicenna.E021"),
    ({"REDIS_URL": ""}, "avicenna.W002"),
    ({"SECRET_KEY": "short"}, "security.W009"),
]
# Reads the settings anew from each environment it is given, and prints what the check of each says.
CHECKS = """
import json, os, sys
import django
from django.conf import Settings, settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError

django.setup()
for environment in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(environment)
    sys.modules.pop("avicenna.settings")
    settings._wrapped = Settings("avicenna.settings")
    said = ""
    try:
        call_command("check", deploy=True, fail_level="WARNING", stdout=open(os.devnull, "w"))
    except SystemCheckError as error:
        said = str(error)
    print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What is said about production, then about each wrong deployment; empty where nothing is wrong."""
    environments = [environment(**change) for change in ({}, *(change for change, _ in WRONG))]
    env = environments[0] | {"DJANGO_SETTINGS_MODULE": "avicenna.settings"}
    command, given = [sys.executable, "-c", CHECKS], json.dumps(environments)
    done = subprocess.run(command, cwd=ROOT, env=env, input=given, stdout=PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("number", range(len(WRONG)), ids=[finding for _, finding in WRONG])
def test_each_wrong_deployment_is_found(said: list[str], number: int) -> None:
    fine, *wrong = said

    assert fine == ""
    assert re.findall(r"\((\w+\.[EW]\d+)\)", wrong[number]) == [WRONG[number][1]]


def test_a_finding_fails_the_check() -> None:
    """This one in a process of its own: a process keeps the database it met first."""
    answer = check("--deploy", "--fail-level", "WARNING", DATABASE_URL="sqlite:///x.sqlite3")

    assert answer.returncode != 0
    assert "avicenna.W001" in answer.stderr


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection

    from avicenna.checks import sqlite_is_recent

    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))

    assert [error.id for error in sqlite_is_recent(None)] == ["avicenna.E002"] * (connection.vendor == "sqlite")


def test_the_example_lists_every_setting() -> None:
    read = set(
        re.findall(r"(?:env\.\w+|secret|networks)\(\s*\"([A-Z_]+)\"", (ROOT / "avicenna/settings.py").read_text())
    )
    for file in (ROOT / "avicenna").glob("*.py"):
        read |= set(re.findall(r"environ\.(?:get|setdefault)\(\"(?!HTTP_)([A-Z_]+)\"", file.read_text()))
    read |= {"HOST", "PORT", "WEB_CONCURRENCY", "MPLCONFIGDIR"}  # of commands, gunicorn and matplotlib
    listed = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))

    assert read - {"DJANGO_SETTINGS_MODULE"} == listed
