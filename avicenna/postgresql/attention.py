from __future__ import annotations

from select import POLLIN, poll
from typing import Any

from psycopg import Connection


def has_news(connection: Connection[Any]) -> bool:
    """Whether an idle connection has something to read: its end, mostly. The server is not asked."""
    waiting = poll()
    waiting.register(connection.fileno(), POLLIN)
    return bool(waiting.poll(0))
