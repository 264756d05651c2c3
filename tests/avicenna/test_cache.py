from __future__ import annotations

import os
import pickle
from contextvars import Context
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from redis import Redis

pytestmark = pytest.mark.skipif(
    not os.environ.get("TEST_REDIS_URL"), reason="without Redis the cache is in the process, where nobody writes"
)


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_what_somebody_put_into_redis_runs_no_code(tmp_path: Path) -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.set(cache.make_key("pred:1"), pickle.dumps(Bomb(tmp_path / "ran")))

    with pytest.raises(ValueError):
        cache.get("pred:1")

    assert not (tmp_path / "ran").exists()


def test_what_is_no_data_is_not_kept() -> None:
    with pytest.raises(TypeError):
        cache.set("bomb", Bomb(Path("x")))


def test_what_is_kept_can_be_counted_up() -> None:
    cache.set("counted", 41)

    assert cache.incr("counted") == cache.get("counted") == 42


def test_a_limit_is_counted_in_one_trip_and_ends() -> None:
    limits = caches["limits"]
    with Redis.from_url(settings.REDIS_URL) as redis:

        def scripts() -> int:
            return int(redis.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"])

        before = scripts()
        first = limits.add("window", 1, 60)
        again = limits.add("window", 1, 60), limits.incr("window")

        assert (first, again, scripts() - before) == (True, (False, 2), 2)
        assert 50 < redis.ttl(cache.make_key("window")) <= 60
    assert limits.incr("window") == 3  # which nobody has just added


def test_who_asks_in_a_context_of_their_own_takes_over_the_connection() -> None:
    """Each socket does."""

    def connection() -> int:
        return int(cache._cache.get_client().client_id())

    assert len({Context().run(connection) for _ in range(20)}) == 1
