"""What a process takes for settings that nobody gave, by what it is; decided before the settings are read."""

from __future__ import annotations

import os

SERVING = {"serve", "runserver"}


def for_asgi() -> None:
    """Requests run in many threads here: a pool keeps them from opening a PostgreSQL connection each."""
    os.environ.setdefault("DATABASE_POOL_SIZE", "20")
    for_wsgi()


def for_wsgi() -> None:
    """A page that nobody waits for any more shall not keep the database busy; the answer is 503 then."""
    os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT", "30")


def for_command(name: str) -> None:
    """Of manage.py. Other than a server it takes as long as it takes, also where both have one environment."""
    if name in SERVING:
        for_asgi()
    else:
        os.environ["DATABASE_STATEMENT_TIMEOUT"] = os.environ.get("DATABASE_COMMAND_TIMEOUT", "0")
