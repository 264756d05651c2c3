from __future__ import annotations

import json
import logging
import logging.config
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from avicenna.logging import logging_config


@pytest.fixture
def lines(tmp_path: Path, settings: Any) -> Any:
    """`lines()`: what was logged since, down to DEBUG, as the server would write it into its file."""
    path = tmp_path / "avicenna.log"
    logging.config.dictConfig(logging_config(level=logging.DEBUG, file=str(path), sql_echo=False))
    yield lambda: path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    logging.config.dictConfig(settings.LOGGING)


def test_a_request_is_one_json_line_with_its_id(api: Any, db: None, lines: Any) -> None:
    answer = api(x_request_id="abcdef0123456789").get("/health?secret=1")

    entry = next(json.loads(line) for line in lines() if '"avicenna.access"' in line)
    assert (entry["path"], entry["status"], entry["request_id"]) == ("/health", 200, "abcdef0123456789")
    assert answer["X-Request-ID"] == "abcdef0123456789"


@pytest.mark.parametrize("foreign", ["short", "with space in it", 'quote"quote"quote', "x" * 65])
def test_a_request_id_that_is_none_is_replaced(api: Any, db: None, foreign: str) -> None:
    assert api(x_request_id=foreign).get("/health")["X-Request-ID"] != foreign


def test_no_health_data_no_token_and_no_query_string_in_the_log(
    api: Any, alice: Any, report: Any, diagnosis: Any, lines: Any
) -> None:
    canary = f"canary{uuid4().hex}"
    client = api(alice)
    client.post("/api/feedback/", report | {"comment": canary})
    client.post("/api/feedback/", {"comment": canary, "rating": canary})
    client.get(f"/api/feedback/?remedy={canary}")
    client.post("/api/auth/token", {"email": f"{canary}@clinic.example", "password": canary})
    ticket = client.post("/api/realtime/tickets", {"diagnosis": str(diagnosis.pk)}).json()["ticket"]

    written = "\n".join(lines())
    token = client._credentials["HTTP_AUTHORIZATION"].split()[1]
    assert len(written) > 500
    assert not any(secret in written for secret in (canary, ticket, token))


def test_an_error_is_logged_without_its_query_string(api: Any, alice: Any, lines: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("feedback.views.FeedbackViewSet.get_queryset", lambda self: 1 / 0)
    client = api(alice)
    client.raise_request_exception = False

    answer = client.get("/api/feedback/?remedy=canary")

    assert answer.json()["error"]["code"] == "server_error"
    assert any("ZeroDivisionError" in line for line in lines())
    assert not any("canary" in line for line in lines())


def test_the_servers_own_lines_lose_their_query_string(lines: Any) -> None:
    logging.getLogger("uvicorn.error").warning('%s - "WebSocket %s" [accepted]', "1.2.3.4", "/ws/diagnoses/1/?ticket=x")

    assert "ticket" not in lines()[-1]


def test_the_file_is_turned_over_at_ten_megabytes() -> None:
    handler = logging_config(level=20, file="x.log", sql_echo=False)["handlers"]["lines"]

    assert (handler["maxBytes"], handler["backupCount"] + 1) == (10_000_000, 10)
