from __future__ import annotations

import signal
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from avicenna.exposition import serve_metrics
from avicenna.jobs import JOBS
from avicenna.work import work


class Command(BaseCommand):
    help = (
        "Does what is due beside requests, until it is stopped: tells the other diagnoses when a remedy moved, ranks "
        "anew where a report came in, and finds the reports that predictions are measured by. May be killed at any "
        "time; of several on all hosts one works at a time. `serve` runs it inside."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WORKER_METRICS:
            try:
                serve_metrics(settings.WORKER_METRICS)
            except (OSError, ValueError) as error:
                raise CommandError(f"WORKER_METRICS={settings.WORKER_METRICS}: {error}") from error
        stop = Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        self.stdout.write("At work. Ctrl-C stops it; nothing is lost.")
        try:
            work(stop, JOBS)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
