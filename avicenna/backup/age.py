from __future__ import annotations

from pathlib import Path

from django.conf import settings

from avicenna.backup.folder import backups
from avicenna.metrics import backup_last_success


def measure_backup_age() -> None:
    """For Prometheus to raise the alarm; 0 where there is none."""
    found = backups(Path(settings.BACKUP_FOLDER))
    backup_last_success.set(found[-1].made_at.timestamp() if found else 0)
