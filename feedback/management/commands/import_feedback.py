from __future__ import annotations

import csv
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from feedback.importing.records import Reject, UnreadableFile
from feedback.importing.run import Import, Tally
from feedback.importing.sources import ClinicHistory, Druglib, Source
from feedback.importing.vocabulary import Catalogue, EmptyCatalogue

# What a shell reports for a program that Ctrl-C ended.
INTERRUPTED = 130
TEXT_START = 120


class Command(BaseCommand):
    help = (
        "Brings feedback from a file into the record: a clinic's own history (csv) or the Druglib.com drug reviews "
        "(druglib, which have no dates: they count on the day of the import). Running it again imports nothing "
        "twice and goes on where it was stopped. docs/import.md describes the files."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=["druglib", "csv"], required=True)
        parser.add_argument(
            "--clinic", default="csv", help="csv: whose patient identifiers these are; default: %(default)s"
        )
        parser.add_argument(
            "--rejects", type=Path, help="where to list the rejected rows; default: <file name>.rejects.csv, here"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="read and check only; rejects are listed if --rejects is given"
        )

    def handle(
        self, *args: Any, file: Path, format: str, clinic: str, rejects: Path | None, dry_run: bool, **options: Any
    ) -> None:
        path = None if dry_run and rejects is None else rejects or Path(f"{file.name}.rejects.csv")
        if path and path.resolve() == file.resolve():
            raise CommandError("--rejects names the file itself.")
        started = time.monotonic()
        run, interrupted = None, False
        try:
            run = Import(_source(file, format, clinic), dry_run=dry_run)
            self._run(run, path)
        except KeyboardInterrupt:
            interrupted = True
        except EmptyCatalogue as error:
            raise CommandError("The catalogue is empty: run `manage.py load_catalogue` first.") from error
        except (UnreadableFile, OSError, DatabaseError) as error:
            raise CommandError(f"{_stopped(run)}{error}") from error
        tally = run.tally if run else Tally()
        self.stdout.write(_summary(tally, path, dry_run, time.monotonic() - started))
        if interrupted:
            self.stdout.write("Interrupted. Nothing is half done: run the same command again to go on.")
            sys.exit(INTERRUPTED)

    def _run(self, run: Import, rejects: Path | None) -> None:
        # Reading everything once before the first write finds a damaged file while it is still harmless.
        total = run.source.count()
        with ExitStack() as stack:
            progress = stack.enter_context(_progress(visible=self.stderr.isatty()))
            listing = stack.enter_context(RejectsFile(rejects))
            bar = progress.add_task("importing", total=total)
            for rejected in run.run():
                listing.add(rejected)
                progress.update(bar, completed=run.tally.rows)


class RejectsFile:
    """Comes into being with the first reject. Readable by its owner only: the rows are about patients."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._stack = ExitStack()
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, rejects: list[Reject]) -> None:
        if self.path and rejects:
            writer = self._writer or self._open(self.path)
            for reject in rejects:
                writer.writerow([reject.line, reject.reason, " ".join(reject.text.split())[:TEXT_START]])

    def _open(self, path: Path) -> Any:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._writer = csv.writer(self._stack.enter_context(os.fdopen(descriptor, "w", encoding="utf-8", newline="")))
        self._writer.writerow(["line", "reason", "text"])
        return self._writer


def _source(file: Path, format: str, clinic: str) -> Source:
    catalogue = Catalogue()
    return Druglib(file, catalogue) if format == "druglib" else ClinicHistory(file, catalogue, clinic.strip() or "csv")


def _progress(*, visible: bool) -> Progress:
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not visible)


def _stopped(run: Import | None) -> str:
    if run is None or not run.tally.rows:
        return ""
    return f"Stopped after {run.tally.rows} rows, which are safe; run it again to go on. "


def _summary(tally: Tally, rejects: Path | None, dry_run: bool, seconds: float) -> str:
    listed = f" (see {rejects})" if rejects and tally.rejected else ""
    counts = (
        f"{tally.imported} imported, {tally.already_there} already there, {tally.rejected} rejected{listed}, "
        f"{tally.patients} patients, {seconds:.1f} s"
    )
    return f"Dry run, nothing is written: {counts}" if dry_run else counts
