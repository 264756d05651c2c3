from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from realtime.actions import prune_events
from realtime.publish import KEPT_EVENTS


class Command(BaseCommand):
    help = "Removes events that no client can ask for any more, and tickets that have expired."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--keep", type=int, default=KEPT_EVENTS, help="how many of each diagnosis stay")

    def handle(self, *args: Any, keep: int, **options: Any) -> None:
        events, tickets = prune_events(keep=max(keep, KEPT_EVENTS))
        self.stdout.write(f"{events} events and {tickets} tickets removed.")
