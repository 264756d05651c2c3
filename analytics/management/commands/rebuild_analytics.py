from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.rebuild import check, fit_prior, rebuild

SHOWN = 20


class Command(BaseCommand):
    help = "Recomputes every rollup from the feedback. With --check it only compares and fails on a difference."

    def add_arguments(self, parser: CommandParser) -> None:
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--check", action="store_true", help="change nothing; exit 1 when a figure is wrong")
        only.add_argument(
            "--fit-prior", action="store_true", help="only fit the strength of the prior; it is used from then on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fit_prior"]:
            self._fit_prior()
            return
        if not options["check"]:
            self.stdout.write(f"{rebuild()} rollups stand as the feedback says.")
            return
        differences = check()
        for difference in differences[:SHOWN]:
            self.stdout.write(f"{difference.what}: stored {difference.stored}, computed {difference.computed}")
        if differences:
            raise CommandError(f"{len(differences)} differences. `rebuild_analytics` mends them.")
        self.stdout.write("No difference: every rollup is what the feedback says.")

    def _fit_prior(self) -> None:
        try:
            fitted = fit_prior()
        except ValueError as error:
            raise CommandError(f"There is not enough feedback to fit a prior. {error}") from error
        self.stdout.write(
            f"{fitted.reports} reports on {fitted.subjects} subjects say: what is known about a subject's parent"
            f" weighs as much as {fitted.strength:.1f} reports. Used from now on."
        )
