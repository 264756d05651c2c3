from __future__ import annotations

from django.apps import AppConfig


class AvicennaConfig(AppConfig):
    name = "avicenna"

    def ready(self) -> None:
        from avicenna import checks  # noqa: F401  (registers the system checks)
