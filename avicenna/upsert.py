"""Many rows inserted or merged in few statements, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.db import connection
from django.db.models import Field, Model

Row = Sequence[Any]

# SQLite takes 32,766 in one statement.
MAX_PARAMETERS = 10_000

# How a column of a row that is already there takes the new value.
ADD = "{column} = {table}.{column} + excluded.{column}"
GREATER = "{column} = CASE WHEN excluded.{column} > {table}.{column} THEN excluded.{column} ELSE {table}.{column} END"


def upsert(model: type[Model], keys: Sequence[str], values: Sequence[str], rows: Iterable[Row], merge: str) -> None:
    """`keys` and `values` name fields of `model`, `rows` hold a value for each; `keys` must be unique together.

    Two that write several rows at once should give them in the same order, or they may deadlock.
    """
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in (*keys, *values)]
    table, columns = model._meta.db_table, [str(field.column) for field in fields]
    merges = ", ".join(merge.format(table=table, column=column) for column in columns[len(keys) :])
    one = f"({', '.join(['%s'] * len(columns))})"
    rows, most = list(rows), MAX_PARAMETERS // len(columns)
    for some in (rows[start : start + most] for start in range(0, len(rows), most)):
        parameters = [
            field.get_db_prep_value(value, connection) for row in some for field, value in zip(fields, row, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(some))} "
                f"ON CONFLICT ({', '.join(columns[: len(keys)])}) DO UPDATE SET {merges}",
                parameters,
            )
