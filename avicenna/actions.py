from __future__ import annotations

from django.utils import timezone

from avicenna.models import WORKER, SignOfLife


def report_worker() -> None:
    """The worker is alive; `doctor` asks."""
    SignOfLife.objects.update_or_create(name=WORKER, defaults={"seen_at": timezone.now()})
