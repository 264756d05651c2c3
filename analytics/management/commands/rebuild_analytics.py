from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from analytics.facts import PATIENTS, ROLLUPS
from analytics.prior import fit_prior
from analytics.rebuild import AlreadyRunning, Tell, check, rebuild

# What a shell reports for a program that Ctrl-C ended.
INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Recomputes every rollup from the feedback and mends what differs. With --check it only compares and fails on "
        "a difference. Both are safe while the clinic works."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--check", action="store_true", help="change nothing; exit 1 when a figure is wrong")
        only.add_argument(
            "--fit-prior", action="store_true", help="only fit the strength of the prior; it is used from then on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fit_prior"]:
            self._fit_prior()
        elif options["check"]:
            self._check()
        else:
            self._rebuild()

    def _check(self) -> None:
        with self._progress() as progress:
            progress.add_task("comparing", total=None)
            found = check()
        for difference in found.first:
            self.stdout.write(f"{difference.what}: stored {difference.stored}, computed {difference.computed}")
        if more := found.count - len(found.first):
            self.stdout.write(f"and {more} more")
        if found.count:
            raise CommandError(f"{found.count} differences. `rebuild_analytics` mends them.")
        self.stdout.write("No difference: every rollup is what the feedback says.")

    def _rebuild(self) -> None:
        try:
            with self._progress() as progress:
                mended = rebuild(_shown_on(progress))
        except AlreadyRunning as error:
            raise CommandError("A rebuild is running already.") from error
        except KeyboardInterrupt:
            self.stdout.write("Interrupted. Nothing is half done: run the same command again to go on.")
            sys.exit(INTERRUPTED)
        self.stdout.write(
            f"{mended[ROLLUPS]} rollups and {mended[PATIENTS]} patients of subjects mended. "
            "Every rollup is what the feedback says."
        )

    def _progress(self) -> Progress:
        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
        return Progress(*columns, console=Console(stderr=True), transient=True, disable=not self.stderr.isatty())

    def _fit_prior(self) -> None:
        try:
            fitted = fit_prior()
        except ValueError as error:
            raise CommandError(f"There is not enough feedback to fit a prior. {error}") from error
        self.stdout.write(
            f"{fitted.reports} reports on {fitted.subjects} subjects say: what is known about a subject's parent"
            f" weighs as much as {fitted.strength:.1f} reports. Used from now on."
        )


def _shown_on(progress: Progress) -> Tell:
    tasks: dict[str, TaskID] = {}

    def tell(name: str, done: int, total: int | None) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task(name, total=None)
        doing = "comparing" if total is None else "mending"
        progress.update(tasks[name], description=f"{doing} {name}", completed=done, total=total)

    return tell
