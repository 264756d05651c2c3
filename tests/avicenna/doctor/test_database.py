"""Settings, schema, migrations and keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.avicenna.doctor.conftest import Doctor


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_a_setting_that_is_wrong(doctor: Doctor, settings: Any) -> None:
    settings.RATELIMIT_ENABLE = False

    assert any("avicenna.E008" in found for found in doctor("settings"))


def test_a_schema_that_is_whole(doctor: Doctor) -> None:
    assert doctor("schema") == doctor("migrations") == doctor("database") == {}


@pytest.mark.parametrize(
    ("breaking", "missing"),
    [
        ("DROP INDEX feedback_time", "index feedback_time on feedback_feedback"),
        ("ALTER TABLE feedback_feedback RENAME COLUMN compliance TO c", "column feedback_feedback.compliance"),
        ("DROP TABLE realtime_receipt", "table realtime_receipt"),
    ],
)
def test_what_the_database_lacks(doctor: Doctor, breaking: str, missing: str) -> None:
    execute(breaking)

    assert f"{missing} is missing" in doctor("schema")


def test_an_index_on_a_field_that_is_gone(doctor: Doctor) -> None:
    with connection.cursor() as cursor:
        present = connection.introspection.get_constraints(cursor, "diagnoses_patient")
    for name, found in present.items():
        if found["columns"] == ["mizaj_type"] and found["index"]:
            execute(f'DROP INDEX "{name}"')

    assert "index on diagnoses_patient.mizaj_type is missing" in doctor("schema")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has invalid indexes")
def test_an_index_that_was_not_finished(doctor: Doctor) -> None:
    execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'feedback_time'::regclass")

    assert doctor("schema")["index feedback_time is not valid"] == "REINDEX INDEX CONCURRENTLY feedback_time;"


def test_a_migration_that_is_not_applied(doctor: Doctor) -> None:
    MigrationRecorder(connection).record_unapplied("realtime", "0003_news")

    assert doctor("migrations") == {"not applied: realtime.0003_news": "manage.py migrate"}


def test_a_database_of_a_newer_version(doctor: Doctor) -> None:
    MigrationRecorder(connection).record_applied("realtime", "9999_later")

    assert "applied, but not known to this version: realtime.9999_later" in doctor("migrations")


def test_keys_that_do_not_open_what_is_stored(doctor: Doctor, patient: Any, settings: Any) -> None:
    assert doctor("sealed fields") == {}
    settings.FIELD_ENCRYPTION_KEYS = ["other:" + "Q" * 43 + "="]

    assert "diagnoses.PatientKey.secret cannot be opened; it was sealed with the key 'debug'" in doctor("sealed fields")
