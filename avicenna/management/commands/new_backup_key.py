from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Prints a fresh entry for BACKUP_KEY. Put it in front of the others and keep those as long as the backups that "
        "they sealed. Without it no backup can be opened: keep a copy away from this machine and from the backups."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        name = datetime.now(UTC).strftime("b%Y%m%d")
        self.stdout.write(f"{name}:{base64.b64encode(os.urandom(32)).decode()}")
