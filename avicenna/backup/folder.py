"""The folder of backups: names, ages, and which are kept."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from avicenna.backup.manifest import Beside

KEPT_DAYS = 30
_NAME = re.compile(r"avicenna-(\d{8}T\d{6}\.\d{3})Z\.backup")
_WRITTEN = "%Y%m%dT%H%M%S.%f"
PARTIAL_PREFIX = ".partial-"


@dataclass(frozen=True, order=True)
class Backup:
    made_at: datetime
    path: Path

    @property
    def beside(self) -> Path:
        return self.path.with_suffix(".json")

    def description(self) -> Beside | None:
        """What stands beside it; None when that is missing or cannot be read."""
        try:
            return Beside.model_validate_json(self.beside.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None


def name_of(made_at: datetime) -> str:
    return f"avicenna-{made_at.astimezone(UTC).strftime(_WRITTEN)[:-3]}Z.backup"


def backups(folder: Path) -> list[Backup]:
    """Oldest first; none where there is no folder. Only whole ones bear the name."""
    found = []
    for path in folder.glob("avicenna-*.backup") if folder.is_dir() else ():
        if matched := _NAME.fullmatch(path.name):
            found.append(Backup(datetime.strptime(matched[1], _WRITTEN).replace(tzinfo=UTC), path))
    return sorted(found)


def outlived(found: Iterable[Backup], now: datetime) -> list[Backup]:
    """Those older than KEPT_DAYS that are not the last of their month; the newest of all always stays."""
    last_of_month = {(backup.made_at.year, backup.made_at.month): backup for backup in sorted(found)}
    kept = set(last_of_month.values())
    return [one for one in found if one not in kept and one.made_at < now - timedelta(days=KEPT_DAYS)]


def remove(backup: Backup) -> None:
    backup.path.unlink(missing_ok=True)
    backup.beside.unlink(missing_ok=True)


def remove_partial(folder: Path, prefix: str = PARTIAL_PREFIX) -> None:
    """What killed processes left. Nobody else may be at work here."""
    for path in folder.glob(f"{prefix}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def settle(path: Path) -> None:
    """Makes a rename in this folder outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
