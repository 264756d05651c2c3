from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_STARTED = time.monotonic()
_migrated = False


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _cache() -> None:
    cache.get("health")


def _migrations() -> None:
    """Whether the database has all that this release asks for. Once it has, it is not asked again."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise LookupError("migrations are missing")
        _migrated = True


# A part that is required takes the service down with it; the others only degrade it.
_PARTS: dict[str, tuple[Callable[[], None], bool]] = {
    "database": (_database, True),
    "migrations": (_migrations, True),
    "cache": (_cache, False),
}


def examine() -> tuple[str, dict[str, Any]]:
    """`ok`, `degraded` or `down`, and for each part its state and how long it took."""
    overall, parts = "ok", {}
    for name, (probe, required) in _PARTS.items():
        started = time.perf_counter()
        try:
            probe()
            state = "ok"
        except Exception:  # whatever a driver raises, the part does not answer; details would tell secrets
            state = "down"
            overall = "down" if required or overall == "down" else "degraded"
        parts[name] = {"state": state, "ms": round((time.perf_counter() - started) * 1000, 1)}
    return overall, parts


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    status, _ = examine()
    return JsonResponse({"status": status}, status=503 if status == "down" else 200)


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    status, parts = examine()
    return JsonResponse({"status": status, "parts": parts}, status=503 if status == "down" else 200)


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok", "uptime_seconds": round(time.monotonic() - _STARTED, 1)})
