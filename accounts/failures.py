"""How often signing in was refused: for Prometheus, and by the hour on the cache for the first page of the admin."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Literal

from django.core.cache import cache
from redis.exceptions import RedisError

from avicenna.metrics import sign_in_failures

Reason = Literal["password", "code", "locked"]
REASONS: tuple[Reason, ...] = ("password", "code", "locked")
HOUR, HOURS = 60 * 60, 24


def note(reason: Reason) -> None:
    sign_in_failures.labels(reason=reason).inc()
    key = _key(reason, _hour())
    # Away, or forgotten meanwhile: Prometheus has it, and the answer must not hang on it.
    with suppress(RedisError, ValueError):
        cache.add(key, 0, (HOURS + 1) * HOUR)
        cache.incr(key)


def of_last_day() -> dict[Reason, int] | None:
    """Of the last 24 hours, to the hour; None while the cache is away."""
    keys = {_key(reason, _hour() - back): reason for reason in REASONS for back in range(HOURS)}
    try:
        found = cache.get_many(keys)
    except RedisError:
        return None
    return {reason: sum(int(count) for key, count in found.items() if keys[key] == reason) for reason in REASONS}


def _hour() -> int:
    return int(time.time() // HOUR)


def _key(reason: Reason, hour: int) -> str:
    return f"sign-in-failures:{reason}:{hour}"
