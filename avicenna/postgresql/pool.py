from __future__ import annotations

from typing import Any

from psycopg import Connection, OperationalError
from psycopg_pool import ConnectionPool

from avicenna.postgresql.attention import has_news


class Pool(ConnectionPool[Connection[Any]]):
    """Looks at a connection before it is used, without asking the server as long as that keeps quiet.

    Where one has ended the server has restarted, most likely, and all have: they are replaced together. psycopg's pool
    alone would find them one after another and wait a second, two, four … after each.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(check=self._look_at, **options)

    def _look_at(self, connection: Connection[Any]) -> None:
        if not has_news(connection):
            return
        try:
            self.check_connection(connection)
        except OperationalError:
            self.drain()
            raise
