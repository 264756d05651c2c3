from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console

from feedback.importing.records import UnreadableFile
from feedback.importing.vocabulary import EmptyCatalogue
from predictions.evaluation import SUCCESS, NothingToLearnFrom, Sample, bins, is_mostly_imported, measure, read_sample
from predictions.registry import ActiveModel, registry
from predictions.tables import calibration_table, quality_table


class Command(BaseCommand):
    help = (
        "Measures the model in use on the reports of a file that was not imported, beside two baselines that learn "
        "from all reports of the database. Writes nothing. For Druglib.com's test.tsv, train on its train.tsv."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=["druglib"], required=True)
        parser.add_argument(
            "--success",
            choices=list(SUCCESS),
            default="system",
            help="system (default): a rating of at least 3 of 5, as everywhere here. druglib: the data set's own, at "
            "least Moderately Effective with side effects below Severe; all predictors are then asked another "
            "question than they learned to answer, and their calibration shows it.",
        )

    def handle(self, *args: Any, file: Path, success: str, **options: Any) -> None:
        console = Console(file=self.stdout)  # type: ignore[arg-type]  # OutputWrapper is a text stream
        started = time.monotonic()
        try:
            with console.status("reading the file") as status:
                sample = _usable(read_sample(file, SUCCESS[success]), file)
                status.update(f"measuring on {len(sample.rows)} reports")
                active = registry.active()
                qualities = measure(sample, active.model if active else None)
                remembered = is_mostly_imported(sample)
        except EmptyCatalogue as error:
            raise CommandError("The catalogue is empty: run `manage.py load_catalogue` first.") from error
        except NothingToLearnFrom as error:
            raise CommandError("The database has no reports yet: there is nothing to measure.") from error
        except (UnreadableFile, DatabaseError) as error:
            raise CommandError(str(error)) from error
        console.print(quality_table(f"Quality on {len(sample.rows)} reports (success: {success})", qualities))
        if active:
            console.print(calibration_table(bins(sample, active.model)))
        self.stdout.write(_summary(sample, active, file, time.monotonic() - started))
        if remembered:
            self.stderr.write(
                self.style.WARNING("More than half of these reports are in the database: this measures memory.")
            )


def _usable(sample: Sample, file: Path) -> Sample:
    if not sample.rows:
        raise CommandError(f"{file}: no row is usable; {sample.unusable} rows are not.")
    return sample


def _summary(sample: Sample, active: ActiveModel | None, file: Path, seconds: float) -> str:
    who = f"Model v{active.version}" if active else "No model is in use (see train_predictor); the baselines alone:"
    return (
        f"{who} measured on {len(sample.rows)} reports of {file.name} in {seconds:.1f} s, "
        f"{sample.unusable} rows unusable. The database knows {_known(sample.remedies)} remedies and "
        f"{_known(sample.conditions)} conditions."
    )


def _known(slugs: dict[str, bool]) -> str:
    return f"{sum(slugs.values())} of their {len(slugs)}"
