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

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        is_one = cast("_Compiler", compiler).for_lists_of_one
        return "%s", [Parameter(self.name, self.output_field) if is_one else self]

    def bound(self, value: Sequence[Any], connection: BaseDatabaseWrapper) -> Any:
        values = [self.output_field.get_db_prep_value(one, connection) for one in value]
        return json.dumps(values) if connection.vendor == "sqlite" else values


class Among(Func):
    """Whether a column has one of the values that will be given.

    A single one is compared with: PostgreSQL, which cannot know how long a list will be, plans for one anew each time.
    """

    conditional = True
    output_field = BooleanField()

    def __init__(self, column: str, values: Parameters) -> None:
        super().__init__(F(column), values)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any) -> tuple[str, Any]:  # type: ignore[override]  # nothing is extended here
        if cast("_Compiler", compiler).for_lists_of_one:
            among, end = " = ", ""
        elif connection.vendor == "sqlite":
            among, end = " IN (SELECT value FROM json_each(", "))"
        else:
            among, end = " = ANY(", ")"
        return super().as_sql(compiler, connection, template=f"%(expressions)s{end}", arg_joiner=among)


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
    for_lists_of_one = False  # what is being written
    _converters: dict[int, Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._written: dict[bool, tuple[str, tuple[Any, ...]]] = {}

    def statement(self, values: dict[str, Any]) -> Statement:
        sql, parameters = self._write(for_lists_of_one=False)
        lists = {one.name for one in parameters if isinstance(one, Parameters)}
        if lists and all(len(values[name]) == 1 for name in lists):
            sql, parameters = self._write(for_lists_of_one=True)
            values = values | {name: values[name][0] for name in lists}
        bound = (
            one.bound(values[one.name], self.connection) if isinstance(one, Parameter) else one for one in parameters
        )
        return Statement(sql, tuple(bound))

    def _write(self, *, for_lists_of_one: bool) -> tuple[str, tuple[Any, ...]]:
        if for_lists_of_one not in self._written:
            self.for_lists_of_one = for_lists_of_one
            self._written[for_lists_of_one] = self.as_sql()
        return self._written[for_lists_of_one]

    def get_converters(self, expressions: Any) -> dict[int, Any]:
        """How each column becomes a value; to find out takes longer than to convert a few rows."""
        if self._converters is None:
            self._converters = super().get_converters(expressions)
        return self._converters

    def execute_sql(self, *args: Any, **kwargs: Any) -> list[list[Row]]:  # type: ignore[override]  # only ever many
        """One batch of rows."""
        return [self.rows]
