"""Slows down whoever goes on guessing: some failures are free, then each makes the wait twice as long, up to a longest.

On the shared cache, under digests. What is tried during the wait is not counted, so nobody can prolong it for another,
and an hour without a failure forgets all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from avicenna.throttling import NobodyCounts

FIRST_SECONDS = 30
MEMORY_SECONDS = 60 * 60
clock = time.time


@dataclass(frozen=True)
class Brake:
    """Each method raises `NobodyCounts` while the cache is away."""

    name: str
    free: int
    longest_seconds: int

    def wait(self, *subject: object) -> int:
        """Seconds until `subject` may try again; 0 when it may now."""
        if not settings.RATELIMIT_ENABLE:
            return 0
        with _counting():
            until: float = cache.get(self._key("until", subject), 0.0)
        return max(0, math.ceil(until - clock()))

    def failed(self, *subject: object) -> None:
        key = self._key("failures", subject)
        with _counting():
            cache.add(key, 0, MEMORY_SECONDS)
            failures = cache.incr(key)
            cache.touch(key, MEMORY_SECONDS)
            beyond = failures - self.free
            if beyond >= 0:
                seconds = min(self.longest_seconds, FIRST_SECONDS * 2 ** min(beyond, 10))
                cache.set(self._key("until", subject), clock() + seconds, seconds)

    def forget(self, *subject: object) -> None:
        with _counting():
            cache.delete_many([self._key(kind, subject) for kind in ("failures", "until")])

    def _key(self, kind: str, subject: tuple[object, ...]) -> str:
        return f"brake:{self.name}:{kind}:{salted_hmac('accounts.brakes', repr(subject)).hexdigest()}"


@contextmanager
def _counting() -> Iterator[None]:
    try:
        yield
    except RedisError:
        raise NobodyCounts from None
