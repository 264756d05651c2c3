from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar, cast

from channels.db import database_sync_to_async

P = ParamSpec("P")
R = TypeVar("R")


def offloaded(work: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    """Runs database work in any thread of the pool, awaited by the loop.

    Channels' default is one thread for the whole process: there every handshake would wait for the round trips of all
    those before it.
    """
    return cast("Callable[P, Awaitable[R]]", database_sync_to_async(work, thread_sensitive=False))
