"""Django's backend for PostgreSQL, but that a kept connection is looked at without asking the server."""

from __future__ import annotations

from select import POLLIN, poll

from django.db.backends.postgresql.base import DatabaseWrapper as Postgresql


class DatabaseWrapper(Postgresql):
    def is_usable(self) -> bool:
        """Whether a connection kept from an earlier request still stands.

        One that the server ended has something to read, its end; only then is the server asked. Before every request
        that would cost a round trip.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = poll()
        waiting.register(self.connection.fileno(), POLLIN)
        return not waiting.poll(0) or super().is_usable()
