"""Brings every sealed value under the key that it belongs under now, while the clinic works.

What is known of a patient belongs under the patient's key, anything else under the first of FIELD_ENCRYPTION_KEYS. A
value says in its first bytes which key sealed it, so what is left to do is asked of the database: there is no position
to remember, and whoever was killed goes on where the rest begins.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import BinaryField, Func, Model, QuerySet, Value

from avicenna.data_keys import Erased
from avicenna.encryption import PERSONAL, DecryptionError, EncryptedTextField, Sealed, master_prefix

# Locked together, for some milliseconds.
BATCH = 200
PAUSE_SECONDS = 0.05

# Hears how many values were sealed anew.
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Column:
    """A sealed field of a model."""

    model: type[Model]
    field: EncryptedTextField

    def __str__(self) -> str:
        return f"{self.model._meta.label_lower}.{self.field.name}"

    @property
    def way(self) -> str:
        """To the patient's key, as `select_related` takes it; empty for what is of no patient."""
        return getattr(self.model, "encryption_key", "")

    def left(self) -> QuerySet[Model]:
        """The rows whose value is under another key than it belongs under. Reads the first bytes of each."""
        prefix = PERSONAL if self.way else master_prefix()
        front = Func(self.field.name, Value(1), Value(len(prefix)), function="substr", output_field=BinaryField())
        rows = self.model._base_manager.annotate(front=front).exclude(front=prefix)
        rows = rows.exclude(**{f"{self.field.name}__isnull": True})
        return rows.filter(**{f"{self.way}__isnull": False}) if self.way else rows


def columns() -> list[Column]:
    """The patients' keys first: they are few, and everything else may go on under them."""
    found = [
        Column(model, field)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedTextField)
    ]
    return sorted(found, key=lambda column: (bool(column.way), str(column)))


def reseal(column: Column, rows: QuerySet[Model], *, tell: Tell = lambda count: None) -> set[object]:
    """Those of `rows`, out of `column.left()`; returns the primary keys of those whose value could not be opened.

    A row that somebody else has locked is left for the next round, so that nobody waits in a circle. What is written
    meanwhile stands: a value is read, sealed and written while its row is locked.
    """
    refused: set[object] = set()
    while True:
        passed_over, last = 0, None
        while batch := _after(rows, last):
            last = batch[-1]
            done, failed = _reseal_batch(column, [pk for pk in batch if pk not in refused])
            passed_over += len(set(batch) - refused - failed) - done
            refused |= failed
            tell(done)
        if not passed_over:
            return refused
        time.sleep(PAUSE_SECONDS)


def reseal_personal(key_id: UUID) -> None:
    """Everything of one patient comes under the patient's key; within the caller's transaction."""
    for column in columns():
        if column.way:
            reseal(column, column.left().filter(**{column.way: key_id}))


def _after(rows: QuerySet[Model], last: object | None) -> list[object]:
    rest = rows if last is None else rows.filter(pk__gt=last)
    return list(rest.order_by("pk").values_list("pk", flat=True)[:BATCH])


@transaction.atomic
def _reseal_batch(column: Column, pks: list[object]) -> tuple[int, set[object]]:
    locked = column.left().filter(pk__in=pks).order_by("pk").select_for_update(of=("self",), skip_locked=True)
    done, failed = 0, set()
    for row in locked.select_related(column.way) if column.way else locked:
        try:
            _write(column, row, column.field.seal(row, getattr(row, column.field.name)))
        except (DecryptionError, Erased):
            failed.add(row.pk)
        else:
            done += 1
    return done, failed


def _write(column: Column, row: Model, sealed: Sealed) -> None:
    """That column and no other: not even the time of the last change."""
    meta = column.model._meta
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {meta.db_table} SET {column.field.column} = %s WHERE {meta.pk.column} = %s",
            [column.field.get_db_prep_value(sealed, connection), meta.pk.get_db_prep_value(row.pk, connection)],
        )
