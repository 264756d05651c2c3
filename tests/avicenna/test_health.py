from __future__ import annotations

from typing import Any

import pytest
from django.db.migrations.recorder import MigrationRecorder


def test_health_answers_under_both_names(api: Any, db: None) -> None:
    assert api().get("/health").json() == api().get("/api/health").json() == {"status": "ok"}


def test_ready_names_each_part_with_its_time(api: Any, db: None) -> None:
    answer = api().get("/health/ready")

    assert answer.status_code == 200
    parts = answer.json()["parts"]
    assert {part: found["state"] for part, found in parts.items()} == dict.fromkeys(
        ("database", "migrations", "cache"), "ok"
    )
    assert all(found["ms"] >= 0 for found in parts.values())


def test_a_release_whose_migrations_are_missing_is_not_ready(
    api: Any, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avicenna.health._migrated", False)
    MigrationRecorder.Migration.objects.filter(app="realtime").order_by("-pk")[:1].get().delete()

    answer = api().get("/health/ready")

    assert answer.status_code == 503
    assert {part for part, found in answer.json()["parts"].items() if found["state"] == "down"} == {"migrations"}


def test_without_the_database_it_is_not_ready(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # pytest-django refuses the connection in a test without the db fixture: as if the server were gone
    answer = api().get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["parts"]["database"]["state"] == "down"


def test_without_the_cache_it_serves_on(api: Any, db: None, redis_is_away: Any) -> None:
    redis_is_away()

    answer = api().get("/health/ready")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["parts"]["cache"]["state"] == "down"


def test_live_tells_the_uptime(api: Any) -> None:
    assert api().get("/health/live").json()["uptime_seconds"] > 0


def test_metrics_need_the_token(api: Any, settings: Any) -> None:
    settings.METRICS_TOKEN = "m" * 32

    assert api().get("/metrics").status_code == 404
    answer = api(authorization=f"Bearer {'m' * 32}").get("/metrics")
    assert answer.status_code == 200
    assert b"feedback_submissions_total" in answer.content


def test_without_a_configured_token_metrics_stay_closed(api: Any, settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    assert api(authorization="Bearer ").get("/metrics").status_code == 404
