from __future__ import annotations

import base64
import os
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Prints a fresh entry for FIELD_ENCRYPTION_KEYS. docs/security.md has the steps of changing keys."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        name = datetime.now(UTC).strftime("k%Y%m%d")
        self.stdout.write(f"{name}:{base64.b64encode(os.urandom(32)).decode()}")
