"""Django's backend for PostgreSQL, but that a kept connection is looked at without asking the server.

To ask before every request would cost a round trip. A connection that the server ended has something to read; only then
is the server asked.
"""

from __future__ import annotations

from typing import ClassVar

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql.base import DatabaseWrapper as Postgresql

from avicenna.postgresql.attention import has_news
from avicenna.postgresql.pool import Pool


class DatabaseWrapper(Postgresql):
    _connection_pools: ClassVar[dict[str, Pool]] = {}

    def is_usable(self) -> bool:
        """Whether a connection kept from an earlier request still stands."""
        if self.connection is None or self.connection.closed:
            return False
        return not has_news(self.connection) or super().is_usable()

    @property
    def pool(self) -> Pool | None:
        """One for all threads of the process, opened with the first connection."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options or self.alias == NO_DB_ALIAS:
            return None
        if self.alias not in self._connection_pools:
            pool = Pool(
                kwargs=self.get_connection_params() | {"autocommit": True},  # Django begins transactions itself
                open=False,
                configure=self._configure_connection,  # type: ignore[attr-defined]  # the stubs lack it
                **options,
            )
            self._connection_pools.setdefault(self.alias, pool)  # two threads may come at once
        return self._connection_pools[self.alias]
