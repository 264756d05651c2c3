from __future__ import annotations

import time


class Window:
    """Counts by key within the running minute. In memory: it protects the process that it runs in."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._began = 0.0
        self._counts: dict[str, int] = {}

    def allows(self, key: str) -> bool:
        """Counts one more."""
        now = time.monotonic()
        if now - self._began >= 60:
            self._began = now
            self._counts.clear()
        self._counts[key] = self._counts.get(key, 0) + 1
        return self._counts[key] <= self._a_minute
