from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from psycopg import conninfo

from avicenna.backup.actions import FAILURES, Database, verify
from avicenna.backup.folder import backups
from avicenna.backup.format import Damaged
from avicenna.backup.postgresql import Postgresql
from avicenna.backup.progress import bytes_shown

COULD_NOT = 2


class Command(BaseCommand):
    help = (
        "Restores a backup into a scratch database, compares every table with what it was when the backup was made, "
        "and removes the scratch database. Exit code 1: the backup is not good. 2: it could not be examined."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="default: the newest in BACKUP_FOLDER")
        parser.add_argument(
            "--server", help="postgresql://… where a scratch database may be created; default: that of DATABASE_URL"
        )

    def handle(self, *args: Any, file: Path | None, server: str | None, **options: Any) -> None:
        started = time.monotonic()
        file = file or self._newest()
        try:
            with bytes_shown("reading", file.stat().st_size, visible=self.stderr.isatty()) as tell:
                proof = verify(file=file, server=_server(server), tell=tell)
        except Damaged as error:
            raise CommandError(f"{file} is not good. {error}") from error
        except FAILURES as error:
            raise CommandError(f"{file} could not be examined. {error}", returncode=COULD_NOT) from error
        for difference in proof.differences:
            self.stdout.write(difference)
        if proof.differences:
            raise CommandError(f"{file} is not good: {len(proof.differences)} tables differ.")
        manifest = proof.manifest
        self.stdout.write(
            f"{file} is good: {manifest.rows} rows in {len(manifest.tables)} tables as of "
            f"{manifest.created_at:%Y-%m-%d %H:%M} UTC, restored and compared in {time.monotonic() - started:.1f} s"
        )

    def _newest(self) -> Path:
        found = backups(Path(settings.BACKUP_FOLDER))
        if not found:
            raise CommandError(f"There is no backup in {settings.BACKUP_FOLDER}.", returncode=COULD_NOT)
        return found[-1].path


def _server(url: str | None) -> Database | None:
    return Postgresql(conninfo.conninfo_to_dict(url)) if url else None
