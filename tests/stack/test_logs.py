"""What must never be written down is said to every part of the running stack, then looked for in every log of it.

The stack runs with LOG_LEVEL=DEBUG.
"""

from __future__ import annotations

import json
import random
import time
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from tests.stack.sockets import frames, opened, ticket
from tests.stack.stack import Stack

pytestmark = pytest.mark.thorough


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def canaries(clinic: Stack, people: dict[str, Any]) -> dict[str, str]:
    """Where a word was said → the word."""
    diagnosis, doctor = people["diagnoses"][3], bearer(people["doctor"])
    patient = bearer(diagnosis["patient"])
    places = ("comment", "history", "name", "email", "search", "body")
    said = {where: f"canary{uuid4().hex}" for where in places}
    said["password"] = "".join(random.choices("GHJKLMNPQRSTUVWXYZ", k=40))  # nothing like the email, which is refused
    report = {"recommendation": diagnosis["recommendation"], "rating": 4, "symptom_improvement": 4}
    with clinic.client() as http:
        stored = report | {"comment": said["comment"], "client_id": str(uuid4())}
        assert http.post("/api/feedback/", json=stored, headers=patient).status_code == 201
        assert http.post("/api/feedback/", json=stored | {"rating": said["body"]}, headers=patient).status_code == 400
        assert http.post("/api/feedback/", content=f"{{{said['body']}", headers=patient).status_code in (400, 415)
        record = {"full_name": said["name"], "medical_history": said["history"]}
        assert http.post("/api/patients/", json=record, headers=doctor).status_code == 201
        http.get("/api/patients/", params={"search": said["search"]}, headers=doctor).raise_for_status()
        http.get(f"/api/nothing/?x={said['search']}")
        account = {"email": f"{said['email']}@clinic.example", "password": said["password"]}
        new = account | {"full_name": said["name"]}
        assert http.post("/api/auth/register", json=new).status_code == 201
        assert http.post("/api/auth/register", json=new).status_code in (201, 400)
        tokens = http.post("/api/auth/token", json=account).raise_for_status().json()
        http.post("/api/auth/token/refresh", json={"refresh": tokens["refresh"]}).raise_for_status()
        said |= {"access token": tokens["access"], "refresh token": tokens["refresh"], "bearer": diagnosis["patient"]}
        said["metrics token"] = clinic.metrics_token
        said["ticket"] = ticket(http, diagnosis["patient"], diagnosis["id"])
        with opened(clinic, diagnosis["id"], f"since=0&ticket={said['ticket']}") as watching:
            frames(watching, until="connect")
            watching.send(json.dumps({"type": "refresh", "token": diagnosis["patient"]}))
            frames(watching, until="pong")
        with opened(clinic, diagnosis["id"], "since=0", additional_headers=patient) as watching:
            frames(watching, until="connect")
        said["ticket nobody took"] = _asked_while_nobody_answers(clinic, diagnosis["id"])
        said["search nobody took"] = _searched_without_a_database(clinic, people["doctor"])
    return said


def _asked_while_nobody_answers(clinic: Stack, diagnosis: str) -> str:
    clinic.supervisorctl("stop", "sockets:*")
    word = f"canary{uuid4().hex}"
    try:
        with pytest.raises(InvalidStatus):
            opened(clinic, diagnosis, f"since=0&ticket={word}")
    finally:
        clinic.supervisorctl("start", "sockets:*")
        clinic.wait_until_ready()
    return word


def _searched_without_a_database(clinic: Stack, doctor: str) -> str:
    word = f"canary{uuid4().hex}"
    clinic.postgresql.crash()
    try:
        with clinic.client() as http:
            assert http.get("/api/patients/", params={"search": word}, headers=bearer(doctor)).status_code >= 500
    finally:
        clinic.postgresql.start()
        clinic.wait_until_ready()
    return word


def test_no_log_of_any_process_holds_them(clinic: Stack, canaries: dict[str, str]) -> None:
    time.sleep(2)  # what is written a moment later
    logs = {log.name: log.read_text(errors="replace") for log in clinic.logs.iterdir()}

    for name in ("nginx-access", "nginx-error", "rest-1", "sockets-1", "worker", "supervisord", "postgresql", "redis"):
        assert f"{name}.log" in logs
    found = [(where, log) for where, word in canaries.items() for log, text in logs.items() if word in text]
    assert found == []


def test_the_logs_did_say_something(clinic: Stack, canaries: dict[str, str]) -> None:
    """Or nothing would be found whatever was said."""
    nginx = [json.loads(line) for line in (clinic.logs / "nginx-access.log").read_text().splitlines()]
    rest = [json.loads(line) for log in clinic.logs.glob("rest-?.log") for line in log.read_text().splitlines()]

    assert {"/api/feedback/", "/api/auth/register"} <= {line["path"] for line in nginx} & {
        line.get("path") for line in rest
    }
    assert any(line["level"] == "DEBUG" for line in rest)
    assert any(line["path"].startswith("/ws/") and line["status"] == "101" for line in nginx)


def test_every_line_of_ours_is_json_with_its_time(clinic: Stack, canaries: dict[str, str]) -> None:
    for log in [*clinic.logs.glob("rest-?.log"), *clinic.logs.glob("sockets-?.log"), clinic.logs / "worker.log"]:
        for line in log.read_text().splitlines():
            assert {"time", "level", "logger", "message", "request_id"} <= set(json.loads(line)), f"{log.name}: {line}"
