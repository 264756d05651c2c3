"""The cache on Redis with fewer detours: Django makes a client for each operation, which costs more than the operation,
goes to the server twice to count one up, and lets each socket and each thread connect anew.
"""

from __future__ import annotations

from typing import Any

from django.core.cache.backends import redis
from django.utils.functional import cached_property

COUNT = (
    "local count = redis.call('INCRBY', KEYS[1], ARGV[1]) "
    "if count == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end return count"
)
COUNT_UP = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('INCRBY', KEYS[1], ARGV[1]) end"


class _Client(redis.RedisCacheClient):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]  # the stubs know half of the class
        if pool not in self._clients:
            self._clients[pool] = super().get_client(key, write=write)
        return self._clients[pool]

    def incr(self, key: Any, delta: int) -> int:
        """Raises ValueError where there is nothing to count up."""
        counted: int | None = self.get_client(key, write=True).eval(COUNT_UP, 1, key, delta)
        if counted is None:
            raise ValueError(f"Key '{key}' not found.")
        return counted

    def count(self, key: Any, delta: int, timeout: int) -> int:
        """How far `key` has got with `delta` more; who begins it says for how many seconds it stands."""
        counted: int = self.get_client(key, write=True).eval(COUNT, 1, key, delta, timeout)
        return counted


# The clients of this process, which hand their connections from one to the next. Django's cache objects belong to a
# thread or, beside async code, to a single socket.
_clients: dict[str, _Client] = {}


class RedisCache(redis.RedisCache):
    @cached_property
    def _cache(self) -> _Client:
        name = repr((self._servers, self._options))  # type: ignore[attr-defined]  # the stubs know half of the class
        if name not in _clients:
            _clients[name] = _Client(self._servers, **self._options)  # type: ignore[attr-defined]
        return _clients[name]


class CountingCache(RedisCache):
    """For django-ratelimit alone, which adds a counter and, where it was there before, counts it up: in one trip here.

    `add` counts already, and `incr` after it says how far.
    """

    _counted: tuple[Any, int] = (None, 0)

    def add(self, key: Any, value: Any, timeout: Any = None, version: Any = None) -> bool:
        count = self._cache.count(self.make_and_validate_key(key, version), value, timeout)
        self._counted = key, count
        return count == value  # type: ignore[no-any-return]

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        (counted, count), self._counted = self._counted, (None, 0)
        return count if counted == key else super().incr(key, delta, version)
