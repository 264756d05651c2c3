from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from analytics.rebuild import check, rebuild

SHOWN = 20


class Command(BaseCommand):
    help = "Recomputes every rollup from the feedback. With --check it only compares and fails on a difference."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a figure is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            self.stdout.write(f"{rebuild()} rollups stand as the feedback says.")
            return
        differences = check()
        for difference in differences[:SHOWN]:
            self.stdout.write(f"{difference.what}: stored {difference.stored}, computed {difference.computed}")
        if differences:
            raise CommandError(f"{len(differences)} differences. `rebuild_analytics` mends them.")
        self.stdout.write("No difference: every rollup is what the feedback says.")
