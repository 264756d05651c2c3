"""How long a statement may take in the database; decided before the settings are read.

A server gives up on it and answers 503: a page that nobody waits for any more shall not keep the database busy. A
command takes as long as it takes, also where both have one environment.
"""

from __future__ import annotations

import os

SERVING = {"serve", "runserver"}


def limit_statements(command: str | None = None) -> None:
    """For a server, or for the command of manage.py with that name."""
    if command is None or command in SERVING:
        os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT", "30")
    else:
        os.environ["DATABASE_STATEMENT_TIMEOUT"] = os.environ.get("DATABASE_COMMAND_TIMEOUT", "0")
