from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from avicenna.serving import serve


class Command(BaseCommand):
    help = (
        "Serves sockets behind a proxy, with uvicorn: one process, of which a host runs several. Nothing is prepared "
        "and no work beside requests is done here; REST answers too, but gunicorn does that faster."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        serve(host, port)
