from __future__ import annotations

import time
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from avicenna.encryption import encryption_keys
from avicenna.locks import only_one
from avicenna.resealing import Column, columns, reseal
from diagnoses.actions import give_key
from diagnoses.models import Patient


class Command(BaseCommand):
    help = (
        "Seals with the first of FIELD_ENCRYPTION_KEYS what is sealed with another of them: mostly the patients' own "
        "keys, few and short. A patient without a key gets one, and what is known of the patient comes under it. The "
        "clinic goes on working; a run that was killed is taken up by the next. Exit code 1: something could not be "
        "opened and stays as it was, so no key may go."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 when something is left")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        try:
            newest = next(iter(encryption_keys()))
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        if check:
            self._check()
            return
        started = time.monotonic()
        with only_one("rotation") as alone:
            if not alone:
                raise CommandError("Another rotation is at work.")
            self._give_keys()
            refused = sum(self._reseal(column) for column in columns())
        if refused:
            raise CommandError(f"{refused} values could not be opened and stay as they were. Remove no key.")
        self.stdout.write(f"Nothing is left under another key than {newest!r}, {time.monotonic() - started:.1f} s")

    def _check(self) -> None:
        left = {str(column): column.left().count() for column in columns()}
        left["patients without a key"] = Patient.objects.filter(key=None).count()
        for name, count in left.items():
            if count:
                self.stdout.write(f"{name}: {count}")
        if any(left.values()):
            raise CommandError("Something is left.", returncode=1)
        self.stdout.write("Nothing is left.")

    def _give_keys(self) -> None:
        without = list(Patient.objects.filter(key=None).values_list("pk", flat=True))
        for pk in without:
            give_key(patient_id=pk)
        if without:
            self.stdout.write(f"{len(without)} patients have a key of their own now")

    def _reseal(self, column: Column) -> int:
        """How many values could not be opened."""
        left = column.left().count()
        if not left:
            return 0
        with Progress(console=Console(stderr=True), transient=True, disable=not self.stderr.isatty()) as progress:
            task = progress.add_task(str(column), total=left)
            refused = reseal(column, column.left(), tell=lambda count: progress.advance(task, count))
        self.stdout.write(f"{column}: {left - len(refused)} sealed anew")
        if refused:
            self.stdout.write(f"{column}: {len(refused)} could not be opened, the first is {min(map(str, refused))}")
        return len(refused)
