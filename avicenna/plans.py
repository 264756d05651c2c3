"""Several statements in one message to PostgreSQL, each planned only once for a connection.

The driver can do either, but not both at once: here a statement is prepared under a name when a connection first sends
it, and called by that name from then on. A pool that hands a connection from one transaction to the next (PgBouncer in
its transaction mode) does not know of the names; `DATABASE_PLANS=0` does without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db.backends.utils import CursorWrapper
from psycopg import ClientCursor, Connection, Cursor

Row = Sequence[Any]
Parameters = Sequence[Any] | Mapping[str, Any]

# More are those of many rows, which hardly come again with as many.
MAX_PARAMETERS = 60
MAX_PLANS = 100


class Plans:
    """Of one connection: SQL → the name it was prepared under."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._numbers = count(1)

    def calls(self, sql: str, parameters: Parameters) -> list[str]:
        """What to send instead, with places for the parameters."""
        if (name := self._names.get(sql)) is not None:
            return [_call(name, parameters)]
        if not settings.DATABASE_PLANS or len(parameters) > MAX_PARAMETERS or len(self._names) >= MAX_PLANS:
            return [sql]
        name = self._names[sql] = f"avicenna_{next(self._numbers)}"
        return [f"PREPARE {name} AS {sql % _numbered(parameters)}", _call(name, parameters)]

    def forget(self, sqls: Iterable[str]) -> None:
        """Names whose message failed: whether the server knows them is not known. They are not used again."""
        for sql in sqls:
            self._names.pop(sql, None)


_plans: WeakKeyDictionary[Connection[Any], Plans] = WeakKeyDictionary()


def execute(cursor: CursorWrapper, statements: Sequence[tuple[str, Parameters]]) -> list[list[Row]]:
    """The rows of each statement."""
    server = cursor.connection
    plans, binding = _plans.setdefault(server, Plans()), ClientCursor(server)
    message: list[str] = []
    places = []
    for sql, parameters in statements:
        *before, last = plans.calls(sql, parameters)
        values = parameters if last is sql or not isinstance(parameters, Mapping) else list(parameters.values())
        message += [*before, binding.mogrify(last, values)]
        places.append(len(message) - 1)
    try:
        cursor.execute("; ".join(message))
    except Exception:
        plans.forget(sql for sql, _ in statements)
        raise
    return _rows(cursor.cursor, places)


def _rows(cursor: Cursor[Any], places: Sequence[int]) -> list[list[Row]]:
    """Of the answers at these places; `description` would describe every column anew."""
    answers = [_answer(cursor)]
    while cursor.nextset():
        answers.append(_answer(cursor))
    return [answers[place] for place in places]


def _answer(cursor: Cursor[Any]) -> list[Row]:
    return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


def _call(name: str, parameters: Parameters) -> str:
    return f"EXECUTE {name}({', '.join(['%s'] * len(parameters))})" if parameters else f"EXECUTE {name}"


def _numbered(parameters: Parameters) -> tuple[str, ...] | dict[str, str]:
    if isinstance(parameters, Mapping):
        return {name: f"${number}" for number, name in enumerate(parameters, 1)}
    return tuple(f"${number}" for number in range(1, len(parameters) + 1))
