"""Text that no database can hold, in each field that takes text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.avicenna.bad_input.refusal import refused

BAD_TEXT = {"nul": "a\x00b", "surrogate": "a\ud800b"}

REPORT = {"recommendation": "<recommendation>", "rating": 4, "symptom_improvement": 4}

# method, path, the rest of the body, and the field that gets the text
TEXTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/api/feedback/", REPORT, "comment"),
    ("POST", "/api/feedback/", {"rating": 4, "symptom_improvement": 4}, "recommendation"),
    ("POST", "/api/auth/register", {"password": "saffron-and-rose", "full_name": "New"}, "email"),
    ("POST", "/api/auth/register", {"email": "n@n.example", "full_name": "New"}, "password"),
    ("POST", "/api/auth/register", {"email": "n@n.example", "password": "saffron-and-rose"}, "full_name"),
    ("POST", "/api/auth/register",
     {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "New"}, "language"),
    ("POST", "/api/auth/register", {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "N"}, "sex"),
    ("POST", "/api/auth/register",
     {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "N"}, "birth_date"),
    ("POST", "/api/auth/token", {"email": "n@n.example"}, "password"),
    ("POST", "/api/auth/token", {"password": "saffron-and-rose"}, "email"),
    ("POST", "/api/auth/token", {"email": "n@n.example", "password": "saffron-and-rose"}, "device"),
    ("POST", "/api/auth/token/refresh", {}, "refresh"),
    ("PATCH", "/api/me", {}, "name"),
    ("PATCH", "/api/me", {}, "language"),
    ("POST", "/api/patients/", {}, "full_name"),
    ("POST", "/api/patients/", {"full_name": "New"}, "medical_history"),
    ("POST", "/api/patients/", {"full_name": "New"}, "current_medications"),
    ("POST", "/api/patients/", {"full_name": "New"}, "mizaj_type"),
    ("PATCH", "/api/patients/<patient>/", {}, "medical_history"),
    ("POST", "/api/diagnoses/", {"condition": "headache", "severity": 2}, "patient"),
    ("POST", "/api/diagnoses/", {"patient": "<patient>", "severity": 2}, "condition"),
    ("POST", "/api/diagnoses/", {"patient": "<patient>", "condition": "headache", "severity": 2}, "notes"),
    ("POST", "/api/diagnoses/", {"patient": "<patient>", "condition": "headache", "severity": 2}, "symptoms[]"),
    ("POST", "/api/patients/<patient>/contraindications/", {"cause": "allergy"}, "remedy"),
    ("POST", "/api/patients/<patient>/contraindications/", {"remedy": "sweet-violet"}, "cause"),
    ("POST", "/api/patients/<patient>/contraindications/", {"remedy": "sweet-violet", "cause": "allergy"}, "reason"),
    ("PATCH", "/api/diagnoses/<diagnosis>/", {}, "status"),
    ("PATCH", "/api/diagnoses/<diagnosis>/", {}, "imbalance"),
    ("POST", "/api/diagnoses/<diagnosis>/recommendations/", {}, "remedy"),
    ("POST", "/api/diagnoses/<diagnosis>/recommendations/", {"remedy": "sweet-violet"}, "dosage"),
    ("PATCH", "/api/recommendations/<recommendation>/", {}, "instructions"),
    ("POST", "/api/recommendations/<recommendation>/stop/", {}, "reason"),
    ("POST", "/api/recommendations/<recommendation>/replace/", {"remedy": "sweet-violet"}, "reason"),
    ("POST", "/api/realtime/tickets", {}, "diagnosis"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_TEXT.values(), ids=list(BAD_TEXT))
@pytest.mark.parametrize(
    ("method", "path", "rest", "field"), TEXTS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_text_that_no_database_can_hold_is_refused(
    api: Any, alice: Any, bob: Any, filled: Any, method: str, path: str, rest: Any, field: str, bad: str
) -> None:
    value = [bad] if field.endswith("[]") else bad
    data = filled(json.dumps(rest | {field.removesuffix("[]"): value}))
    client = api(alice if path.startswith(("/api/feedback", "/api/me")) else bob)

    assert refused(lambda: client.generic(method, filled(path), data, "application/json"), 400)["code"] == "malformed"
