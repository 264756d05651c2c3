"""Whether the database answers, and is what the models say."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

from avicenna.doctor.findings import Findings, error, fine, warning

PART, MIGRATIONS, SCHEMA = "database", "migrations", "schema"
SLOW_MS = 50.0
OLDEST_POSTGRESQL = 15

Constraints = Mapping[str, Any]


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError, OSError):
        return False
    return True


def examine_database() -> Findings:
    started = time.perf_counter()
    if not database_answers():
        where = connection.settings_dict
        yield error(
            PART,
            f"{connection.display_name} does not answer ({where.get('HOST') or 'local'}, {where['NAME']})",
            "Is it running, is DATABASE_URL right, are there connections left, may this host connect (pg_hba.conf)?",
        )
        return
    started = time.perf_counter()
    database_answers()
    took = (time.perf_counter() - started) * 1000
    if took > SLOW_MS:
        yield warning(PART, f"an empty question takes {took:.0f} ms", "Look at its load, locks and the network.")
    version = connection.get_database_version()
    if connection.vendor == "postgresql" and version < (OLDEST_POSTGRESQL,):
        yield error(PART, f"PostgreSQL {version[0]}", f"Avicenna needs PostgreSQL {OLDEST_POSTGRESQL} or newer.")
    spoken = ".".join(map(str, version))
    yield fine(PART, f"{connection.display_name} {spoken} answers in {took:.1f} ms")


def examine_migrations() -> Findings:
    executor = MigrationExecutor(connection)
    missing = [f"{one.app_label}.{one.name}" for one, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    known = set(executor.loader.disk_migrations)
    unknown = sorted(f"{app}.{name}" for app, name in executor.loader.applied_migrations if (app, name) not in known)
    unknown = [one for one in unknown if apps.is_installed(one.partition(".")[0])]
    if missing:
        yield error(MIGRATIONS, f"not applied: {_some(missing)}", "manage.py migrate")
    if unknown:
        yield error(
            MIGRATIONS,
            f"applied, but not known to this version: {_some(unknown)}",
            "A newer Avicenna was here: install that version, or restore a backup from before (docs/backup.md).",
        )
    if not (missing or unknown):
        yield fine(MIGRATIONS, "all applied")


def examine_schema() -> Findings:
    """Tables, columns, indexes and constraints that models name and the database lacks."""
    lacking: list[str] = []
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if not model._meta.managed or model._meta.proxy:
                continue
            if table not in tables:
                lacking.append(f"table {table}")
                continue
            columns = {one.name for one in connection.introspection.get_table_description(cursor, table)}
            present = connection.introspection.get_constraints(cursor, table)
            lacking += [f"column {table}.{name}" for name in _columns(model) if name not in columns]
            lacking += _lacking(model, present)
    for what in lacking:
        yield error(
            SCHEMA,
            f"{what} is missing",
            "It was removed by hand, or a migration was not finished: `manage.py sqlmigrate` shows how it is made.",
        )
    invalid = _invalid_indexes()
    for name in invalid:
        yield error(SCHEMA, f"index {name} is not valid", f"REINDEX INDEX CONCURRENTLY {name};")
    if not (lacking or invalid):
        yield fine(SCHEMA, "every table, column, index and constraint of the models is there")


def _columns(model: type[Model]) -> list[str]:
    return [str(field.column) for field in model._meta.local_concrete_fields]


def _lacking(model: type[Model], present: Constraints) -> Iterator[str]:
    table = model._meta.db_table
    for index in model._meta.indexes:
        if index.name not in present:
            yield f"index {index.name} on {table}"
    for constraint in model._meta.constraints:
        if constraint.name not in present:
            yield f"constraint {constraint.name} on {table}"
    for field in model._meta.local_concrete_fields:
        same = [one for one in present.values() if one["columns"][:1] == [field.column]]
        if field.unique and not any((one["unique"] or one["primary_key"]) and len(one["columns"]) == 1 for one in same):
            yield f"unique index on {table}.{field.column}"
        elif getattr(field, "db_index", False) and not any(
            one["index"] or one["unique"] or one["primary_key"] for one in same
        ):
            yield f"index on {table}.{field.column}"


def _invalid_indexes() -> list[str]:
    """Of a CREATE INDEX CONCURRENTLY that failed."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more
