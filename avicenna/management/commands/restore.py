from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.migrations.loader import MigrationLoader

from accounts.actions import erase_again
from accounts.restored import ending_all_sessions
from avicenna.backup.actions import FAILURES, NotEmpty, forget_what_is_cached, go_on_after_recovery, restore
from avicenna.backup.manifest import Manifest
from avicenna.backup.progress import bytes_shown
from diagnoses.models import Patient, PatientKey
from realtime import restored

# What says most about a database to whoever is about to overwrite it.
TELLING = ["accounts_user", "diagnoses_patient", "diagnoses_diagnosis", "feedback_feedback"]


class Command(BaseCommand):
    help = (
        "Puts a backup in the place of the database, all of it or nothing, and compares every table before it counts. "
        "Stop the servers and the worker first. Exit code 1: nothing was changed. docs/backup.md has the whole drill."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--keyring", type=Path, help="default: avicenna.keyring beside the backup")
        parser.add_argument("--force", action="store_true", help="overwrite a database that is not empty")
        parser.add_argument(
            "--end-sessions",
            action="store_true",
            help="everybody signs in again: who signed out after the backup was made would be signed in otherwise",
        )
        parser.add_argument(
            "--recovered",
            action="store_true",
            help="no file: the database was brought back by other means (point in time, a disk's snapshot), and only "
            "what a restore does besides is done",
        )

    def handle(
        self,
        *args: Any,
        file: Path | None,
        keyring: Path | None,
        force: bool,
        end_sessions: bool,
        recovered: bool,
        **options: Any,
    ) -> None:
        if recovered is (file is not None):
            raise CommandError("Name a backup, or say --recovered.")
        afterwards = restored.statements() | (ending_all_sessions() if end_sessions else {})
        started, manifest = time.monotonic(), None
        try:
            if file is None:
                go_on_after_recovery(afterwards=afterwards)
                self.stdout.write("The streams leapt ahead of every number that clients may hold.")
            else:
                manifest = self._restore(file, keyring, force, afterwards)
                self.stdout.write(
                    f"Restored {manifest.rows} rows in {len(manifest.tables)} tables as of "
                    f"{manifest.created_at:%Y-%m-%d %H:%M} UTC, each table compared, {time.monotonic() - started:.1f} s"
                )
        except NotEmpty as error:
            held = ", ".join(f"{error.contents[table]} in {table}" for table in TELLING if table in error.contents)
            raise CommandError(f"Nothing was changed. {error} {held}. --force overwrites it.") from error
        except FAILURES as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        self._say_what_is_next(manifest)

    def _restore(self, file: Path, keys: Path | None, force: bool, afterwards: dict[str, str]) -> Manifest:
        with bytes_shown("restoring", file.stat().st_size, visible=self.stderr.isatty()) as tell:
            return restore(file=file, keys=keys, force=force, afterwards=afterwards, tell=tell)

    def _say_what_is_next(self, manifest: Manifest | None) -> None:
        steps = []
        if not forget_what_is_cached():
            steps.append("Redis does not answer: empty it (redis-cli FLUSHDB) before the servers start")
        known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
        applied = set(manifest.migrations) if manifest else known
        if applied - known:
            steps.append(f"the backup is of a newer Avicenna ({manifest and manifest.version}): install that one")
        elif known - applied:
            steps.append("the backup is of an older Avicenna: manage.py migrate")
        if applied == known:
            self.stdout.write(f"{erase_again()} who were erased since the backup was made are erased again.")
            without = Patient.objects.exclude(key=None).exclude(key__in=PatientKey.objects.all()).count()
            if without:
                steps.append(f"the keyring is the wrong one: it has no key of {without} patients; restore again")
        else:
            steps.append("manage.py erase_again")
        steps += [
            "manage.py rebuild_analytics --check",
            "manage.py doctor",
            "start the servers and the worker; clients start over by themselves",
        ]
        self.stdout.write("Next:")
        for number, step in enumerate(steps, 1):
            self.stdout.write(f"  {number}. {step}")
