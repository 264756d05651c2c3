from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from predictions.actions import KEPT_DAYS, prune_records


class Command(BaseCommand):
    help = (
        "Removes what was shown so long ago that the accuracy of predictions, which looks back 24 months, does not ask "
        "for it any more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=KEPT_DAYS, help=f"since it was last shown; {KEPT_DAYS} or more")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        removed = prune_records(days=max(days, KEPT_DAYS))
        self.stdout.write(f"{removed} shown predictions removed.")
