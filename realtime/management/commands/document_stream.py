from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from realtime.protocol import asyncapi, fill_tables


class Command(BaseCommand):
    help = "Writes docs/asyncapi.json and the tables of docs/stream.md from the classes that serve the stream."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail when a document is out of date")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        folder = settings.BASE_DIR / "docs"
        guide, schema = folder / "stream.md", folder / "asyncapi.json"
        fresh = {
            guide: fill_tables(guide.read_text(encoding="utf-8")),
            schema: json.dumps(asyncapi(), indent=2, ensure_ascii=False) + "\n",
        }
        stale = [path for path, text in fresh.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        names = ", ".join(path.name for path in stale)
        if check and stale:
            raise CommandError(f"Out of date: {names}. Run manage.py document_stream.")
        for path in stale:
            path.write_text(fresh[path], encoding="utf-8")
        self.stdout.write(f"Written: {names}." if stale else "The documents agree with the code.")
