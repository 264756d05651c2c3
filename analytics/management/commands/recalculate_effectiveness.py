from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import track

from analytics.actions import AlreadyRunning, recalculate_all
from diagnoses.models import Diagnosis


class Command(BaseCommand):
    help = (
        "Brings the scores of all active recommendations up to date: as days pass out of the window, a score changes "
        "without a report. Safe while the clinic works; those who watch are told what moved."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        diagnoses = list(Diagnosis.objects.order_by("pk").values_list("pk", flat=True))
        console = Console(file=self.stderr)  # type: ignore[arg-type]  # OutputWrapper is a text stream
        rounds = track(
            recalculate_all(diagnoses),
            "Recalculating",
            total=len(diagnoses),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        try:
            rescored = [one for found in rounds for one in found]
        except AlreadyRunning as error:
            raise CommandError(str(error)) from error
        moved = sum(one.previous != one.finding.estimate.score for one in rescored)
        self.stdout.write(f"{len(rescored)} recommendations of {len(diagnoses)} diagnoses, {moved} scores moved.")
