"""Querysets whose SQL is put together once: for the few that nearly every request asks.

To put one together takes the ORM longer than the database needs for the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model, QuerySet, Value
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


class Prepared(Generic[Found]):
    """`Prepared(lambda: Session.objects.filter(pk=Parameter("pk", …)))`, asked with `.first(pk=…)`.

    The queryset must not depend on anything but its parameters. Each connection has its own.
    """

    def __init__(self, build: Callable[[], QuerySet[Found]]) -> None:
        self._build = build
        self._ready: WeakKeyDictionary[BaseDatabaseWrapper, tuple[QuerySet[Found], _Compiler]] = WeakKeyDictionary()

    def first(self, **values: Any) -> Found | None:
        queryset, compiler = self._on(connections["default"])
        compiler.values = values
        found: Found | None = next(iter(ModelIterable(queryset)), None)
        return found

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
    """Remembers its SQL; `values` belong to the next execution."""

    values: dict[str, Any]
    _sql: tuple[str, tuple[Any, ...]] | None = None

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, tuple[Any, ...]]:
        if self._sql is None:
            self._sql = super().as_sql(*args, **kwargs)
        sql, parameters = self._sql
        return sql, tuple(self._value(one) if isinstance(one, Parameter) else one for one in parameters)

    def execute_sql(self, *args: Any, **kwargs: Any) -> list[list[Row]]:  # type: ignore[override]  # only ever many
        """One batch of rows."""
        return run(Statement(*self.as_sql()))

    def _value(self, parameter: Parameter) -> Any:
        return parameter.output_field.get_db_prep_value(self.values[parameter.name], self.connection)
