"""A Persian caller is told in Persian what is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.avicenna.bad_input.refusal import UNKNOWN, refused


def is_persian(text: str) -> bool:
    return any("\u0600" <= letter <= "\u06ff" for letter in text)


@pytest.mark.parametrize(("field", "value"), [
    ("rating", 0), ("rating", 6), ("rating", "x"), ("rating", None), ("comment", "x" * 501), ("client_id", "x"),
    ("recommendation", UNKNOWN), ("side_effects", "x"), ("side_effects", [{"effect": "x", "severity": 1}]),
])  # fmt: skip
def test_a_persian_caller_is_told_in_persian_what_is_wrong(
    api: Any, alice: Any, report: Any, field: str, value: Any
) -> None:
    error = refused(lambda: api(alice, accept_language="fa").post("/api/feedback/", report | {field: value}), 400)

    assert is_persian(json.dumps(error["fields"], ensure_ascii=False)), error


@pytest.mark.parametrize(("send", "status"), [
    (lambda client: client.put("/api/feedback/", {}), 405),
    (lambda client: client.generic("POST", "/api/feedback/", b"x", "text/plain"), 415),
    (lambda client: client.generic("POST", "/api/feedback/", b"{", "application/json"), 400),
    (lambda client: client.generic("POST", "/api/feedback/", b"[" * 100_000, "application/json"), 400),
    (lambda client: client.get("/api/feedback/", headers={"Accept": "application/json; version=9"}), 406),
    (lambda client: client.post("/api/patients/", {}), 403),
], ids=["method", "type", "syntax", "depth", "version", "role"])  # fmt: skip
def test_a_persian_caller_is_told_so_by_the_framework_too(api: Any, alice: Any, send: Any, status: int) -> None:
    client = api(alice, accept_language="fa")

    assert is_persian(refused(lambda: send(client), status)["message"])


def test_a_stranger_is_told_in_persian_to_sign_in(api: Any, db: None) -> None:
    assert is_persian(refused(lambda: api(accept_language="fa").get("/api/me"), 401)["message"])


@pytest.mark.parametrize(
    "query", ["feedback/?ordering=evil", "feedback/?rating_min=abc", "analytics/trending?limit=51"]
)
def test_a_persian_caller_is_told_what_is_wrong_with_a_query(api: Any, alice: Any, query: str) -> None:
    error = refused(lambda: api(alice, accept_language="fa").get(f"/api/{query}"), 400)

    assert is_persian(json.dumps(error["fields"], ensure_ascii=False)), error


@pytest.mark.parametrize(("field", "value", "said"), [
    ("full_name", "x" * 201, "حداکثر ۲۰۰ نویسه بنویسید."),
    ("full_name", None, "این بخش نباید خالی باشد."),
    ("full_name", " ", "این بخش نباید خالی باشد."),
    ("birth_date", "x", "تاریخ را به شکل YYYY-MM-DD بنویسید."),
])  # fmt: skip
def test_what_is_wrong_with_a_field_is_said_in_good_persian(
    api: Any, bob: Any, field: str, value: Any, said: str
) -> None:
    error = refused(
        lambda: api(bob, accept_language="fa").post("/api/patients/", {"full_name": "x", field: value}), 400
    )

    assert error["fields"] == {field: [said]}
