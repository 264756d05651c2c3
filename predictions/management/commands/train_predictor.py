from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from predictions.actions import activate_model, store_model
from predictions.engine import NotEnoughData
from predictions.history import training_reports
from predictions.models import PredictionModel
from predictions.registry import registry
from predictions.tables import quality_table
from predictions.training import Trained, train


class Command(BaseCommand):
    help = (
        "Trains a prediction model on all reports but the newest tenth and measures it on that tenth. "
        "It is put to use only when it is not worse than the model in use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--activate", type=int, metavar="VERSION", help="go back to a stored version instead")

    def handle(self, *args: Any, activate: int | None, **options: Any) -> None:
        if activate is not None:
            self._activate(activate)
            return
        console = Console(file=self.stdout)  # type: ignore[arg-type]  # OutputWrapper is a text stream
        started = time.monotonic()
        active = registry.active()
        try:
            with console.status("reading the reports") as status:
                trained = train(training_reports(status.update), active, status.update)
        except NotEnoughData as error:
            raise CommandError(f"No model was trained: {error}.") from error
        self._report(console, trained, time.monotonic() - started)

    def _report(self, console: Console, trained: Trained, seconds: float) -> None:
        stored = store_model(trained)
        title = f"Quality on the newest {trained.holdout_size} reports"
        console.print(quality_table(title, {"model": trained.quality, **trained.rivals}))
        if match := trained.rematch:
            title = f"Quality on the {match.size} of them that the model in use has not seen either"
            console.print(quality_table(title, {"model": match.new, "active": match.active}))
        state = "in use" if stored.is_active else "kept, but worse than the model in use"
        self.stdout.write(f"Model {stored} learned from {trained.training_size} reports in {seconds:.1f} s: {state}.")

    def _activate(self, version: int) -> None:
        model = PredictionModel.objects.filter(version=version).first()
        if model is None:
            kept = ", ".join(str(v) for v in PredictionModel.objects.values_list("version", flat=True)) or "none"
            raise CommandError(f"There is no version {version}; kept: {kept}.")
        activate_model(model)
        self.stdout.write(f"Model {model} is in use.")
