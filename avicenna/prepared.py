"""Querysets whose SQL is put together once: for the few that nearly every request asks.

To put one together takes the ORM longer than the database needs for the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Field, Func, Model, QuerySet, Value
from django.db.models.query import ModelIterable
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler

from avicenna.sql import Row, Statement, run

Found = TypeVar("Found", bound=Model)


class Parameter(Value):
    """Stands in a queryset for a value of `field` that is given when the query is asked."""

    def __init__(self, name: str, field: Field[Any, Any]) -> None:
        super().__init__(None, output_field=field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        return "%s", [self]

    def bound(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """As the driver takes it."""
        return self.output_field.get_db_prep_value(value, connection)


class Parameters(Parameter):
    """Stands for a list of values of `field`, of any length."""

    def bound(self, value: Sequence[Any], connection: BaseDatabaseWrapper) -> Any:
        values = [self.output_field.get_db_prep_value(one, connection) for one in value]
        return json.dumps(values) if connection.vendor == "sqlite" else values


class Among(Func):
    """Whether a column has one of the values that will be given."""

    conditional = True
    output_field = BooleanField()
    template = "%(expressions)s)"

    def __init__(self, column: str, values: Parameters) -> None:
        super().__init__(F(column), values)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, arg_joiner=" = ANY(")

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, Any]:
        sql, parameters = self.as_sql(compiler, connection, arg_joiner=" IN (SELECT value FROM json_each(")
        return f"{sql})", parameters


class Prepared(Generic[Found]):
    """`Prepared(lambda: Session.objects.filter(pk=Parameter("pk", …)))`, asked with `.first(pk=…)`
    or `.all(…)`.

    The queryset must not depend on anything but its parameters. Each connection has its own.
    """

    def __init__(self, build: Callable[[], QuerySet[Found]]) -> None:
        self._build = build
        self._ready: WeakKeyDictionary[BaseDatabaseWrapper, tuple[QuerySet[Found], _Compiler]] = WeakKeyDictionary()

    def first(self, **values: Any) -> Found | None:
        return next(iter(self.all(**values)), None)

    def all(self, **values: Any) -> list[Found]:
        return self.found(run(self.asked(**values))[0])

    def asked(self, **values: Any) -> Statement:
        """To be sent along with others; `found` makes objects of its rows."""
        return self._on(connections["default"])[1].statement(values)

    def found(self, rows: list[Row]) -> list[Found]:
        queryset, compiler = self._on(connections["default"])
        compiler.rows = rows
        return list(ModelIterable(queryset))

    def _on(self, connection: BaseDatabaseWrapper) -> tuple[QuerySet[Found], _Compiler]:
        if (ready := self._ready.get(connection)) is None:
            queryset = self._build()
            query = queryset.query = cast("_Query", queryset.query.chain(klass=_Query))
            query.prepared = _Compiler(query, connection, queryset.db)
            ready = self._ready[connection] = queryset, query.prepared
        return ready


class _Query(Query):
    prepared: _Compiler

    def get_compiler(self, *args: Any, **kwargs: Any) -> _Compiler:
        return self.prepared


class _Compiler(SQLCompiler):
    """Remembers its SQL; `rows` are the answer of which the queryset makes objects."""

    rows: list[Row]
    _sql: tuple[str, tuple[Any, ...]] | None = None
    _converters: dict[int, Any] | None = None

    def statement(self, values: dict[str, Any]) -> Statement:
        if self._sql is None:
            self._sql = self.as_sql()
        sql, parameters = self._sql
        bound = (
            one.bound(values[one.name], self.connection) if isinstance(one, Parameter) else one for one in parameters
        )
        return Statement(sql, tuple(bound))

    def get_converters(self, expressions: Any) -> dict[int, Any]:
        """How each column becomes a value; to find out takes longer than to convert a few rows."""
        if self._converters is None:
            self._converters = super().get_converters(expressions)
        return self._converters

    def execute_sql(self, *args: Any, **kwargs: Any) -> list[list[Row]]:  # type: ignore[override]  # only ever many
        """One batch of rows."""
        return [self.rows]
