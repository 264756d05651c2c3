"""Statements that are written out, the same on SQLite and PostgreSQL, and sent together.

For what runs in every report: to put a query together takes the ORM longer than the database needs for the answer, and
a round trip costs more than most statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model

from avicenna import plans

Row = Sequence[Any]

# SQLite takes 32,766 in one statement.
MAX_PARAMETERS = 10_000

# How a column of a row that is already there takes the new value.
ADD = "{column} = {table}.{column} + excluded.{column}"
GREATER = "{column} = CASE WHEN excluded.{column} > {table}.{column} THEN excluded.{column} ELSE {table}.{column} END"
KEEP = "{column} = {table}.{column}"


@dataclass(frozen=True)
class Statement:
    """`parameters` as the driver takes them (see `Field.get_db_prep_value`), by place or by name."""

    sql: str
    parameters: Sequence[Any] | Mapping[str, Any] = ()


def run(*statements: Statement) -> list[list[Row]]:
    """The rows of each, in their order. To PostgreSQL they travel in one message."""
    connection = connections[DEFAULT_DB_ALIAS]
    if not statements:
        return []
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return plans.execute(cursor, [(one.sql, one.parameters) for one in statements])
        return [list(cursor.execute(one.sql, one.parameters).fetchall()) for one in statements]


def insert(rows: Sequence[Model]) -> list[Statement]:
    """New rows of one model, none for none; a number that the database counts up is not read back."""
    if not rows:
        return []
    fields = [field for field in rows[0]._meta.concrete_fields if field.get_internal_type() != "BigAutoField"]
    values = [[field.pre_save(row, add=True) for field in fields] for row in rows]
    for row in rows:
        row._state.adding = False
    return [Statement(*written) for written in _inserting(type(rows[0]), fields, values)]


def update(row: Model, *names: str) -> Statement:
    """Writes the named fields of one row."""
    connection, meta = connections[DEFAULT_DB_ALIAS], row._meta
    fields = [cast("Field[Any, Any]", meta.get_field(name)) for name in names]
    values = [field.get_db_prep_save(field.pre_save(row, add=False), connection) for field in fields]
    sets = ", ".join(f"{field.column} = %s" for field in fields)
    pk = meta.pk
    return Statement(
        f"UPDATE {meta.db_table} SET {sets} WHERE {pk.column} = %s",
        [*values, pk.get_db_prep_value(row.pk, connection)],
    )


def upsert(
    model: type[Model], keys: Sequence[str], values: Sequence[str], rows: Sequence[Row], merge: str
) -> list[Statement]:
    """`keys` and `values` name fields of `model`, `rows` hold a value for each; `keys` must be unique together.

    Two that write several rows at once should give them in the same order, or they may deadlock.
    """
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in (*keys, *values)]
    table, columns = model._meta.db_table, [str(field.column) for field in fields]
    unique, merged = ", ".join(columns[: len(keys)]), columns[len(keys) :]
    merges = ", ".join(merge.format(table=table, column=column) for column in merged)
    return [
        Statement(f"{inserting} ON CONFLICT ({unique}) DO UPDATE SET {merges}", parameters)
        for inserting, parameters in _inserting(model, fields, rows)
    ]


def _inserting(
    model: type[Model], fields: Sequence[Field[Any, Any]], rows: Sequence[Row]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """As few statements as the rows allow. What is the same in all of them is given once."""
    connection, most = connections[DEFAULT_DB_ALIAS], MAX_PARAMETERS // len(fields)
    columns = tuple(str(field.column) for field in fields)
    for some in (rows[start : start + most] for start in range(0, len(rows), most)):
        shared, values = [], {}
        for column, field, given in zip(columns, fields, zip(*some, strict=True), strict=True):
            shared.append(is_shared := given.count(given[0]) == len(given))
            for n, value in enumerate(given[:1] if is_shared else given):
                values[f"{column}{n}"] = field.get_db_prep_value(value, connection)
        yield _insertion(model._meta.db_table, columns, tuple(shared), len(some)), values


@lru_cache(1_000)
def _insertion(table: str, columns: tuple[str, ...], shared: tuple[bool, ...], count: int) -> str:
    rows = [
        ", ".join(f"%({column}{0 if same else n})s" for column, same in zip(columns, shared, strict=True))
        for n in range(count)
    ]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({'), ('.join(rows)})"
