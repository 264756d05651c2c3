from __future__ import annotations

import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from avicenna.exposition import serve_metrics
from avicenna.jobs import JOBS
from avicenna.work import work


class Command(BaseCommand):
    help = (
        "Does what is due beside requests, until it is stopped: tells the other diagnoses when a remedy moved, ranks "
        "anew where a report came in, and finds the reports that predictions are measured by. May be killed at any "
        "time; of several on all hosts one works at a time. `serve` runs it inside."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--metrics-port", type=int, default=0, help="where Prometheus is told of it; METRICS_TOKEN opens it"
        )

    def handle(self, *args: Any, metrics_port: int, **options: Any) -> None:
        if metrics_port:
            try:
                serve_metrics(metrics_port)
            except OSError as error:
                raise CommandError(f"Port {metrics_port} is not free ({error.strerror}).") from error
        stop = Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        self.stdout.write("At work. Ctrl-C stops it; nothing is lost.")
        try:
            work(stop, JOBS)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
