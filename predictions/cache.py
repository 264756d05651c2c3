"""The shared cache, whose absence costs time and nothing else. It holds plain values: no names, no words of anybody."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

KEPT_SECONDS = 60 * 60


def read(keys: Iterable[str]) -> dict[str, Any]:
    """What is kept of these."""
    wanted = list(keys)
    if not wanted:
        return {}
    try:
        return cache.get_many(wanted)
    except RedisError:
        logger.warning("the cache does not answer: nothing is remembered")
        return {}


def write(values: Mapping[str, Any]) -> None:
    if not values:
        return
    try:
        cache.set_many(dict(values), KEPT_SECONDS)
    except RedisError:
        logger.warning("the cache does not answer: nothing will be remembered")
