"""What may be said to everybody: nothing about fewer than five patients, not even by subtracting.

A remedy's total, its parts by mizaj and its parts by condition are public. The parts of each breakdown make up the
total, so the parts that are held back are known together as the total minus the rest: they must be nobody, or five
patients as well. A condition has no total of its own in public, only the sum of its remedies that are shown; otherwise
its column and the remedy's row could be played against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import Count

from analytics.evidence import WINDOW_DAYS, window_start
from analytics.models import SubjectPatient
from analytics.subjects import Kind, Subject

MIN_PATIENTS = 5

# PostgreSQL looks up a few rows for each key; SQLite knows no LATERAL, and is there for small clinics.
_FIRST_PATIENTS = {
    "postgresql": f"""
        SELECT wanted.key, found.patient_id::text FROM unnest(%(keys)s::text[]) AS wanted(key)
        CROSS JOIN LATERAL (SELECT patient_id FROM {SubjectPatient._meta.db_table} AS row
                            WHERE row.kind = %(kind)s AND row.key = wanted.key AND row.last_day >= %(start)s
                            LIMIT {MIN_PATIENTS}) AS found
    """,
    "sqlite": f"""
        SELECT key, patient_id FROM {SubjectPatient._meta.db_table}
        WHERE kind = :kind AND last_day >= :start AND key IN (SELECT value FROM json_each(:keys))
    """,
}

_ENOUGH_PATIENTS = {
    "postgresql": f"""
        SELECT wanted.key FROM unnest(%(keys)s::text[]) AS wanted(key)
        WHERE (SELECT count(*) FROM (SELECT FROM {SubjectPatient._meta.db_table} AS row
                                     WHERE row.kind = %(kind)s AND row.key = wanted.key AND row.last_day >= %(start)s
                                     LIMIT {MIN_PATIENTS}) AS first) >= {MIN_PATIENTS}
    """,
    "sqlite": f"""
        SELECT key FROM {SubjectPatient._meta.db_table}
        WHERE kind = :kind AND last_day >= :start AND key IN (SELECT value FROM json_each(:keys))
        GROUP BY key HAVING count(*) >= {MIN_PATIENTS}
    """,
}


def first_patients(kind: Kind, keys: Iterable[str], days: int | None = WINDOW_DAYS) -> dict[Subject, set[Any]]:
    """At least MIN_PATIENTS of the patients who reported on each subject in the window, or all when they are fewer.

    On PostgreSQL it costs the same however many there are.
    """
    found: dict[Subject, set[Any]] = {Subject(kind, key): set() for key in keys}
    for key, patient in _ask(_FIRST_PATIENTS, kind, [subject.key for subject in found], days):
        found[Subject(kind, key)].add(patient)
    return found


def _ask(question: Mapping[str, str], kind: Kind, keys: list[str], days: int | None) -> list[Any]:
    values = json.dumps(keys) if connection.vendor == "sqlite" else keys
    with connection.cursor() as cursor:
        cursor.execute(question[connection.vendor], {"kind": kind.value, "keys": values, "start": window_start(days)})
        return list(cursor.fetchall())


def has_enough_patients(subject: Subject, days: int | None = WINDOW_DAYS) -> bool:
    return bool(with_enough_patients(subject.kind, [subject.key], days))


def with_enough_patients(kind: Kind, keys: Iterable[str], days: int | None = WINDOW_DAYS) -> set[Subject]:
    return {Subject(kind, key) for (key,) in _ask(_ENOUGH_PATIENTS, kind, list(keys), days)}


def count_patients(kind: Kind, keys: Iterable[str]) -> dict[Subject, int]:
    """How many patients reported in the window, of those with at least MIN_PATIENTS; the others are not told."""
    shown = [subject.key for subject in with_enough_patients(kind, keys)]
    rows = SubjectPatient.objects.filter(kind=kind, key__in=shown, last_day__gte=window_start())
    counted = rows.values("key").annotate(patients=Count("pk"))
    return {Subject(kind, key): patients for key, patients in counted.values_list("key", "patients")}


def publishable(patients: Mapping[Subject, set[Any]]) -> set[Subject]:
    """Which parts of one whole may be shown; `patients` are the first patients of each of all its parts.

    When too few are held back, the first part that could be shown joins them: always the same one, for two that took
    turns would tell each other.
    """
    shown = {part for part, some in patients.items() if len(some) >= MIN_PATIENTS}
    held_back: set[Any] = set().union(*(some for part, some in patients.items() if part not in shown))
    if shown and 0 < len(held_back) < MIN_PATIENTS:
        shown.discard(min(shown))
    return shown
