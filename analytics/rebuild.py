"""Compares the rollups with the feedback itself, and mends what differs while the clinic goes on working.

What should be and what is stored are compared as of one moment. Then only the differences are written, in short
transactions: they add up with what came in meanwhile, and nobody waits for more than one of them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from analytics import facts
from analytics.facts import PATIENTS, ROLLUPS, dialect
from analytics.rollups import COLUMNS, Sums
from analytics.subjects import Kind
from avicenna.locks import only_one
from avicenna.sql import ADD, GREATER

REBUILD = "rebuild"
# Rows in one transaction: whoever writes one of them meanwhile waits for it.
CHUNK = 10_000
PAUSE_SECONDS = 0.05
# How many differences are shown.
SHOWN = 20

Places = tuple[int, int]
T = TypeVar("T")
# Hears which figures are at work, how many differences are mended, and of how many; None: they are being compared.
Tell = Callable[[str, int, int | None], None]


class AlreadyRunning(RuntimeError):
    """Another process rebuilds now."""


@dataclass(frozen=True)
class Difference:
    """`stored` and `computed` are None where one side has no row."""

    what: str
    stored: object
    computed: object


@dataclass(frozen=True)
class Found:
    """How many rows are not as the feedback says, and the first of them."""

    count: int
    first: list[Difference]


class Figures:
    """Rows of a table, and the temporary table of their differences, whose `place` counts them in writing order."""

    def __init__(self, name: str, statements: Callable[[str], list[str]], differences: str) -> None:
        self.name = name
        self.statements = statements
        self.differences = differences

    table: ClassVar[str]
    same: ClassVar[str]  # the row `t` that a difference `d` is about
    is_stored: ClassVar[str]  # it was there when they were compared

    def insert(self) -> str:
        """Those that were not."""
        raise NotImplementedError

    def on_conflict(self) -> str:
        """Where a row has come in since."""
        raise NotImplementedError

    def correct(self, cursor: CursorWrapper, places: Places) -> None:
        """Mends the rows that were there; they are locked."""
        raise NotImplementedError

    def show(self, cursor: CursorWrapper, most: int) -> list[Difference]:
        raise NotImplementedError

    def compare(self, cursor: CursorWrapper) -> list[Places]:
        """Where the differences of each kind are, everything first: what contains others must not be the smaller."""
        self.forget(cursor)
        for statement in self.statements(self.differences):
            cursor.execute(statement)
        cursor.execute(f"CREATE INDEX {self.differences}_place ON {self.differences} (place)")
        cursor.execute(dialect().analyze.format(self.differences))
        cursor.execute(f"SELECT MIN(place), MAX(place) FROM {self.differences} GROUP BY kind ORDER BY kind DESC")
        return [(first, last) for first, last in cursor.fetchall()]

    def mend(self, places: Places) -> int:
        """Returns how many rows were missing. Each transaction takes its rows in writing order."""
        with transaction.atomic(), connection.cursor() as cursor:
            if self._lock(cursor, places):
                self.correct(cursor, places)
        with transaction.atomic(), connection.cursor() as cursor:
            try:
                with transaction.atomic():
                    cursor.execute(self.insert(), places)
            except IntegrityError:  # being ready for it from the start costs a third more
                cursor.execute(f"{self.insert()} {self.on_conflict()}", places)
            return int(cursor.rowcount)

    def _lock(self, cursor: CursorWrapper, places: Places) -> int:
        cursor.execute(
            f"SELECT t.id FROM {self.differences} AS d JOIN {self.table} AS t ON {self.same} "
            f"WHERE {self.is_stored} AND d.place BETWEEN %s AND %s ORDER BY d.place {dialect().lock}",
            places,
        )
        return len(cursor.fetchall())

    def forget(self, cursor: CursorWrapper) -> None:
        cursor.execute(f"DROP TABLE IF EXISTS {self.differences}")


class Rollups(Figures):
    table = ROLLUPS
    same = "t.kind = d.kind AND t.key = d.key AND t.day = d.day"
    is_stored = "d.stored > 0"

    def insert(self) -> str:
        columns = ", ".join(["kind", "key", "day", *COLUMNS])
        return (
            f"INSERT INTO {ROLLUPS} ({columns}) SELECT {columns} FROM {self.differences} "
            "WHERE place BETWEEN %s AND %s AND stored = 0 ORDER BY place"
        )

    def on_conflict(self) -> str:
        added = ", ".join(ADD.format(table=ROLLUPS, column=column) for column in COLUMNS)
        return f"ON CONFLICT (kind, key, day) DO UPDATE SET {added}"

    def correct(self, cursor: CursorWrapper, places: Places) -> None:
        moved = ", ".join(f"{column} = t.{column} + d.{column}" for column in COLUMNS)
        cursor.execute(
            f"UPDATE {ROLLUPS} AS t SET {moved} FROM {self.differences} AS d "
            f"WHERE d.place BETWEEN %s AND %s AND {self.is_stored} AND {self.same}",
            places,
        )

    def show(self, cursor: CursorWrapper, most: int) -> list[Difference]:
        by, have = (", ".join(f"{table}.{column}" for column in COLUMNS) for table in "dt")
        cursor.execute(
            f"SELECT d.kind, d.key, d.day, d.stored, {by}, {have} FROM {self.differences} AS d "
            f"LEFT JOIN {ROLLUPS} AS t ON {self.same} ORDER BY d.place LIMIT %s",
            [most],
        )
        return [_rollup(*row) for row in cursor.fetchall()]


class Patients(Figures):
    table = PATIENTS
    same = "t.kind = d.kind AND t.key = d.key AND t.patient_id = d.patient_id"
    is_stored = "d.stored IS NOT NULL"

    def insert(self) -> str:
        return (
            f"INSERT INTO {PATIENTS} (kind, key, patient_id, last_day) SELECT kind, key, patient_id, last_day "
            f"FROM {self.differences} WHERE place BETWEEN %s AND %s AND stored IS NULL ORDER BY place"
        )

    def on_conflict(self) -> str:
        later = GREATER.format(table=PATIENTS, column="last_day")
        return f"ON CONFLICT (kind, key, patient_id) DO UPDATE SET {later}"

    def correct(self, cursor: CursorWrapper, places: Places) -> None:
        """A last day is no sum: it is found anew, now that nobody else can change the row."""
        chosen = f"d.place BETWEEN {places[0]} AND {places[1]} AND {self.is_stored}"
        those = f"t.id IN (SELECT t.id FROM {self.differences} AS d JOIN {PATIENTS} AS t ON {self.same} WHERE {chosen})"
        is_it = "l.kind = t.kind AND l.key = t.key AND l.patient_id = t.patient_id"
        for statement in (
            *facts.last_days(f"SELECT d.patient_id FROM {self.differences} AS d WHERE {chosen}"),
            f"DELETE FROM {PATIENTS} AS t WHERE {those} AND NOT EXISTS (SELECT 1 FROM last_days AS l WHERE {is_it})",
            f"UPDATE {PATIENTS} AS t SET last_day = l.last_day FROM last_days AS l WHERE {those} AND {is_it}",
            "DROP TABLE last_days",
        ):
            cursor.execute(statement)

    def show(self, cursor: CursorWrapper, most: int) -> list[Difference]:
        cursor.execute(
            f"SELECT kind, key, patient_id, stored, last_day FROM {self.differences} ORDER BY place LIMIT %s", [most]
        )
        return [
            Difference(f"{_name(kind, key)}, patient {UUID(str(patient))}", stored, computed)
            for kind, key, patient, stored, computed in cursor.fetchall()
        ]


# Both lines take about as long. What contains a recommendation must not be the smaller: it is first.
FIGURES: tuple[tuple[Figures, ...], ...] = (
    (
        Rollups("rollups of remedies and conditions", facts.other_differences, "other_differences"),
        Rollups("rollups of recommendations", facts.recommendation_differences, "recommendation_differences"),
    ),
    (Patients("patients of subjects", facts.patient_differences, "patient_differences"),),
)


def check() -> Found:
    """What is not as the feedback says, at one moment; nothing is how it should be."""
    found = _each(_found)
    return Found(sum(one.count for one in found), [shown for one in found for shown in one.first][:SHOWN])


def rebuild(tell: Tell = lambda name, done, total: None) -> Counter[str]:
    """Makes all figures what the feedback says; how many rows were mended, by table. Raises `AlreadyRunning`.

    A change or withdrawal finds no row to move where one is still missing: then all is compared once more.
    """
    mended: Counter[str] = Counter()
    with only_one(REBUILD) as alone:
        if not alone:
            raise AlreadyRunning
        is_done = False
        while not is_done:
            mark = _ask(dialect().mark)
            rounds = _each(partial(_round, tell))
            for one in rounds:
                mended[one.table] += one.differences
            is_done = not any(one.missing for one in rounds) or not _was_written_since(mark)
    return mended


def _found(figures: Figures) -> Found:
    with _moment() as cursor:
        found = Found(_count(figures.compare(cursor)), figures.show(cursor, SHOWN))
        figures.forget(cursor)
    return found


@dataclass(frozen=True)
class Round:
    """How many differences were mended, and in how many of them the row was missing."""

    table: str
    differences: int
    missing: int


def _round(tell: Tell, figures: Figures) -> Round:
    tell(figures.name, 0, None)
    with _moment() as cursor:
        places = figures.compare(cursor)
    count, done, missing = _count(places), 0, 0
    for some in _chunks(places):
        missing += figures.mend(some)
        done += _count([some])
        tell(figures.name, done, count)
    with connection.cursor() as cursor:
        figures.forget(cursor)
    return Round(figures.table, count, missing)


def _count(places: list[Places]) -> int:
    return sum(last - first + 1 for first, last in places)


def _chunks(places: list[Places]) -> Iterator[Places]:
    for first, last in places:
        for start in range(first, last + 1, CHUNK):
            yield start, min(start + CHUNK - 1, last)


def _each(work: Callable[[Figures], T]) -> list[T]:
    """PostgreSQL has processors; SQLite one writer, and what a transaction has written is seen by itself alone."""
    if connection.vendor == "sqlite" or connection.in_atomic_block:
        return [work(figures) for line in FIGURES for figures in line]
    sessions: list[Any] = []

    def in_its_own_session(line: tuple[Figures, ...]) -> list[T]:
        connection.ensure_connection()
        sessions.append(connection.connection)
        try:
            return [work(figures) for figures in line]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(FIGURES)) as pool:
        try:
            return list(chain.from_iterable(pool.map(in_its_own_session, FIGURES)))
        except BaseException:  # Ctrl-C, too: a long statement must not outlive who asked for it
            for session in sessions:
                session.cancel()
            raise


@contextmanager
def _moment() -> Iterator[CursorWrapper]:
    """Sees nothing of what others commit meanwhile, and keeps nobody waiting, as `atomic` would on SQLite."""
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            yield cursor
            return
        for statement in dialect().begin:
            cursor.execute(statement)
        try:
            yield cursor
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")


def _was_written_since(mark: Any) -> bool:
    """Waits for those who are in the middle of writing; nobody waits for this."""
    if connection.in_atomic_block:
        return False
    now = _ask(dialect().now)
    while not _ask(dialect().is_quiet, now):
        time.sleep(PAUSE_SECONDS)
    return bool(_ask(dialect().has_moved, mark))


def _ask(question: str, *about: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question, about)
        return cursor.fetchone()[0]


def _rollup(kind: int, key: str, day: object, stored: int, *sums: int) -> Difference:
    by, have = sums[: len(COLUMNS)], sums[len(COLUMNS) :]
    should = [difference + (was or 0) for difference, was in zip(by, have, strict=True)]
    return Difference(
        f"{_name(kind, key)}, {day}", Sums(*have) if stored else None, Sums(*should) if any(should) else None
    )


def _name(kind: int, key: str) -> str:
    return f"{Kind(kind).label if kind in Kind.values else kind} {key}".strip()
