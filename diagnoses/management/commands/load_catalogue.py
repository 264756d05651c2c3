from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from diagnoses.catalogue_files import FOLDER, BadCatalogue, load


class Command(BaseCommand):
    help = (
        "Brings conditions, remedies and side effects from the CSV files into the catalogue. Running it again is safe."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=FOLDER, help="where the three CSV files lie")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            with translation.override("en"):
                loaded = load(folder)
        except BadCatalogue as error:
            raise CommandError(f"The catalogue was left as it was: {error}") from error
        for file in loaded if options["verbosity"] else ():
            self.stdout.write(f"{file.file}: {file.created} new, {file.changed} changed, {file.unchanged} as they were")
