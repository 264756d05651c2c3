from __future__ import annotations

from datetime import timedelta

from django.db import models


class SignOfLife(models.Model):
    """When a part that nobody talks to was last at work."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


# The worker gives one every WORKER_SECONDS.
WORKER = "worker"
WORKER_SECONDS = 15.0
SILENT_AFTER = timedelta(seconds=60)
