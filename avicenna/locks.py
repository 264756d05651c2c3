from __future__ import annotations

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from avicenna.sql import Statement

PATIENCE = "200ms"


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Whether nobody else does `name` now, on any host of this database; it ends with the process that holds it."""
    held = _advisory_lock(name) if connection.vendor == "postgresql" else _file_lock(name)
    with held as alone:
        yield alone


@contextmanager
def _advisory_lock(name: str) -> Iterator[bool]:
    key = _key(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        alone: bool = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _key(name: str) -> int:
    return zlib.crc32(name.encode())


@contextmanager
def _file_lock(name: str) -> Iterator[bool]:
    """SQLite has one host; the file beside the database stays, empty."""
    with open(f"{connection.settings_dict['NAME']}.{name}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def in_turn(name: str) -> list[Statement]:
    """Sent before others in one message: they wait until nobody else is at `name`, and see what was written there.

    SQLite has one writer at a time.
    """
    if connection.vendor != "postgresql":
        return []
    return [Statement("SELECT pg_advisory_xact_lock(%s)", [_key(name)])]


def impatient() -> list[Statement]:
    """Sent in a transaction that must rather fail than wait longer than PATIENCE for a row somebody holds.

    SQLite has no such limit.
    """
    if connection.vendor != "postgresql":
        return []
    return [Statement("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])]
