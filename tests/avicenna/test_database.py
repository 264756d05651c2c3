"""What stands between the clinic and PostgreSQL: connections that are kept, and plans that are made once."""

from __future__ import annotations

from collections.abc import Callable
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


def test_it_does_without_plans_behind_a_pool_that_loses_them(post: Callable[..., int], settings: Any) -> None:
    connection.close()
    settings.DATABASE_PLANS = False

    assert post() == 201
    assert plans() == 0
