from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from avicenna.backup.actions import FAILURES, back_up, forget_old
from avicenna.backup.folder import KEPT_DAYS
from avicenna.backup.progress import bytes_shown


class Command(BaseCommand):
    help = (
        "Writes a sealed backup of this moment while the clinic works, then removes those older than "
        f"{KEPT_DAYS} days but for the last of each month. Exit code 1: there is no new one, and nothing half written."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=Path(settings.BACKUP_FOLDER), help="default: %(default)s")
        parser.add_argument("--keep-all", action="store_true", help="remove no older ones")

    def handle(self, *args: Any, folder: Path, keep_all: bool, **options: Any) -> None:
        started = time.monotonic()
        try:
            with bytes_shown("writing", None, visible=self.stderr.isatty()) as tell:
                backup, beside = back_up(folder=folder, tell=tell)
            removed = [] if keep_all else forget_old(folder=folder)
        except FAILURES as error:
            raise CommandError(f"No backup was made. {error}") from error
        self.stdout.write(
            f"{backup.path}: {beside.rows} rows in {beside.tables} tables, {beside.bytes:,} bytes, "
            f"{len(removed)} old removed, {time.monotonic() - started:.1f} s"
        )
