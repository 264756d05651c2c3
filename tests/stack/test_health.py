"""What the clinic says of itself through nginx while its parts are really stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.stack.servers import Server
from tests.stack.stack import Stack
from tests.stack.waiting import eventually

pytestmark = pytest.mark.thorough


@contextmanager
def stopped(clinic: Stack, server: Server) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        clinic.restart(server.name)


def states(answer: httpx.Response) -> dict[str, str]:
    return {name: part["state"] for name, part in answer.json()["parts"].items()}


def test_without_redis_it_is_degraded_and_serves(clinic: Stack, people: dict[str, Any]) -> None:
    diagnosis = people["diagnoses"][2]
    report = {"recommendation": diagnosis["recommendation"], "rating": 4, "symptom_improvement": 4}
    with clinic.client() as http:
        with stopped(clinic, clinic.redis):
            answer = http.get("/health/ready")
            posted = http.post(
                "/api/feedback/",
                json=report | {"client_id": str(uuid4())},
                headers={"Authorization": f"Bearer {diagnosis['patient']}"},
            )
            guessed = http.post("/api/auth/token", json={"email": "nobody@clinic.example", "password": "wrong"})
        again = eventually(lambda: http.get("/health/ready"), lambda answer: answer.json()["status"] == "ok")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert states(answer) == {"database": "ok", "migrations": "ok", "cache": "down"}
    assert posted.status_code == 201
    assert (guessed.status_code, guessed.headers["Retry-After"]) == (503, "5")  # while nobody counts the attempts
    assert guessed.json()["error"]["code"] == "unavailable"
    assert set(states(again).values()) == {"ok"}


def test_without_the_database_it_names_it_and_comes_back_by_itself(clinic: Stack) -> None:
    with clinic.client() as http:
        with stopped(clinic, clinic.postgresql):
            answers = [http.get("/health/ready") for _ in range(4)]  # of both masters
            short, alive = http.get("/health"), http.get("/health/live")
        eventually(lambda: http.get("/health/ready"), lambda answer: answer.status_code == 200)

    assert {(answer.status_code, states(answer)["database"], states(answer)["cache"]) for answer in answers} == {
        (503, "down", "ok")
    }
    assert (short.status_code, short.json()) == (503, {"status": "down"})
    assert alive.status_code == 200 and alive.json()["uptime_seconds"] > 0


def test_it_tells_no_secrets(clinic: Stack) -> None:
    with clinic.client() as http, stopped(clinic, clinic.postgresql):
        said = "".join(http.get(path).text for path in ("/health", "/health/ready", "/health/live", "/api/health"))

    assert not any(word in said for word in ("127.0.0.1", "postgres", str(clinic.postgresql.port), "Traceback"))
    with clinic.client() as http:
        eventually(lambda: http.get("/health/ready"), lambda answer: answer.status_code == 200)


def test_without_anybody_behind_it_nginx_answers_in_the_one_error_shape(clinic: Stack) -> None:
    clinic.supervisorctl("stop", "rest:*")
    try:
        with clinic.client() as http:
            answer = http.get("/api/me")
    finally:
        clinic.supervisorctl("start", "rest:*")
        clinic.wait_until_ready()

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "5"
