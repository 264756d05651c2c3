"""What stands between the clinic and PostgreSQL: connections that are kept, and plans that are made once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from feedback.models import Feedback

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps neither connections nor plans"),
]


@pytest.fixture
def post(api: Any, alice: Any, report: Any) -> Callable[..., int]:
    client = api(alice)
    return lambda **more: client.post("/api/feedback/", report | {"client_id": str(uuid4())} | more).status_code


def plans() -> int:
    """How many statements the server has planned for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


def test_a_kept_connection_that_the_server_ended_is_opened_anew(post: Callable[..., int]) -> None:
    assert post() == 201
    ended = connection.connection.info
    with psycopg.connect(ended.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended.backend_pid])
    connection.health_check_enabled, connection.health_check_done = True, False  # as when the next request begins

    assert post() == 201


def test_a_statement_is_planned_once(post: Callable[..., int]) -> None:
    assert [post(), post()] == [201, 201]
    planned = plans()

    assert post() == 201
    assert plans() == planned > 0


def test_what_failed_when_it_was_planned_is_planned_again(post: Callable[..., int]) -> None:
    once = str(uuid4())
    assert post(client_id=once) == 201
    connection.close()

    assert [post(client_id=once), post()] == [200, 201]
    assert Feedback.objects.count() == 2


def test_one_diagnosis_is_not_asked_about_as_a_list(api: Any, alice: Any, diagnosis: Any) -> None:
    """For lists PostgreSQL plans anew each time, once the tables are no longer small."""
    assert api(alice).get("/api/predictions/", {"diagnosis": diagnosis.pk}).status_code == 200

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement FROM pg_prepared_statements WHERE statement ~ '^PREPARE .*diagnoses_diagnosis'"
        )
        statements = [statement for (statement,) in cursor.fetchall()]
    assert statements
    assert not [statement for statement in statements if " = ANY(" in statement]


def test_it_does_without_plans_behind_a_pool_that_loses_them(post: Callable[..., int], settings: Any) -> None:
    connection.close()
    settings.DATABASE_PLANS = False

    assert post() == 201
    assert plans() == 0


def test_a_statement_that_takes_too_long_is_given_up(post: Callable[..., int], report: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '200ms'")
    with psycopg.connect(connection.connection.info.dsn) as other:
        other.execute("SELECT FROM diagnoses_recommendation WHERE id = %s FOR UPDATE", [report["recommendation"]])

        assert post() == 503
    connection.close()
    assert post() == 201


def said_by(*command: str, **environment: str) -> Any:
    """What a process of its own prints, as JSON; it asks no table."""
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_CONN_MAX_AGE"} | environment
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


ROOT = Path(__file__).resolve().parents[2]
ASK = """
import json
from django.db import connection
with connection.cursor() as cursor:
    asked = {}
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute(f"SHOW {name}")
        asked[name] = cursor.fetchone()[0]
print(json.dumps(asked))
"""


def test_a_server_has_half_a_minute_for_a_statement() -> None:
    limits = {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "1min"}

    assert said_by("-c", f"import avicenna.wsgi{ASK}") == limits


def test_a_command_has_as_long_as_it_takes_in_the_environment_of_a_server() -> None:
    said = said_by("manage.py", "shell", "-v0", "-c", ASK, DATABASE_STATEMENT_TIMEOUT="30")

    assert set(said.values()) == {"0"}


POOL = """
import json
import avicenna.asgi
from django.db import close_old_connections, connection
def ask():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]
first = ask()
connection.pool.wait()
close_old_connections()
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                   " AND application_name = 'pooled'")
connection.close()
print(json.dumps({"again": ask() > 0, "kept": connection.pool.min_size, "most": connection.pool.max_size}))
"""


def test_the_pool_keeps_twenty_opens_forty_more_and_looks_at_each_before_use() -> None:
    said = said_by("-c", POOL, PGAPPNAME="pooled")

    assert said == {"again": True, "kept": 20, "most": 60}


def test_a_statement_names_its_request(api: Any, alice: Any) -> None:
    answer = api(alice).get("/api/me")

    ours = connection.connection.info
    with psycopg.connect(ours.dsn) as other:
        row = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [ours.backend_pid]).fetchone()
    assert row and row[0].endswith(f" /* request_id={answer['X-Request-ID']} */")


def test_outside_of_a_request_it_names_none() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        assert "request_id" not in cursor.fetchone()[0]
