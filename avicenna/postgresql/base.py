"""Django's backend for PostgreSQL, but that a kept connection is looked at without asking the server, and that each
statement says which request it belongs to.

To ask before every request would cost a round trip. A connection that the server ended has something to read; only then
is the server asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql.base import DatabaseWrapper as Postgresql

from avicenna.logging import request_id
from avicenna.postgresql.attention import has_news
from avicenna.postgresql.pool import Pool


class DatabaseWrapper(Postgresql):
    _connection_pools: ClassVar[dict[str, Pool]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(naming_the_request)

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


def naming_the_request(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Adds the id as a comment, which pg_stat_activity and PostgreSQL's log show and pg_stat_statements leaves out.

    It stands behind the whole message: what is prepared under a name keeps its text (avicenna/plans.py). The id holds
    letters, digits and hyphens only.
    """
    if (current := request_id.get()) and isinstance(sql, str):
        sql = f"{sql} /* request_id={current} */"
    return execute(sql, params, many, context)
