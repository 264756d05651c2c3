from __future__ import annotations

import os
import socket
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from avicenna.jobs import JOBS
from avicenna.sockets import serve
from avicenna.work import work

SIGN_INS = """
  Demonstration sign-ins, password avicenna-demo:
    sara@demo.example       patient
    reza@demo.example       patient
    dr.amini@demo.example   practitioner
    admin@demo.example      staff ({url}/admin/)
"""


class Command(BaseCommand):
    help = (
        "Prepares the database (migrations, catalogue, and with DEBUG the demonstration clinic when it is empty) "
        "and serves HTTP and sockets from this one process, with the work beside requests."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        self._refuse_taken_port(host, port)
        call_command("migrate", verbosity=0)
        call_command("load_catalogue", verbosity=0)
        if settings.DEBUG:
            call_command("seed_demo", if_empty=True, stdout=self.stdout)
        self._greet(f"http://{host}:{port}")
        Thread(target=work, args=[Event(), JOBS], name="work", daemon=True).start()
        serve(host, port)

    def _refuse_taken_port(self, host: str, port: int) -> None:
        try:
            with socket.create_server((host, port)):
                pass
        except OSError as error:
            raise CommandError(f"Port {port} on {host} is not free ({error.strerror}). Try PORT={port + 1}.") from error

    def _greet(self, url: str) -> None:
        self.stdout.write(f"\n  Avicenna   {url}/\n  API        {url}/docs\n  Health     {url}/health/ready")
        if settings.DEBUG:
            self.stdout.write(SIGN_INS.format(url=url))
        self.stdout.write("  Ctrl-C stops it; the data stays.\n")
