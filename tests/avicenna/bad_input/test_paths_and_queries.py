"""Paths that name nothing, methods and formats that are not offered, and what may stand behind the question mark."""

from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import create_patient
from tests.avicenna.bad_input.refusal import refused


def test_an_unknown_path_answers_in_the_same_shape(api: Any, alice: Any) -> None:
    assert refused(lambda: api(alice).get("/api/nothing-here"), 404)["code"] == "not_found"


def test_an_unsupported_method_is_told(api: Any, alice: Any, report: Any) -> None:
    assert refused(lambda: api(alice).put("/api/feedback/", report), 405)["code"] == "method_not_allowed"


@pytest.mark.parametrize("accept", ["application/json; version=2", "application/json; version=../1", "text/html"])
def test_an_unknown_version_or_format_is_not_acceptable(api: Any, alice: Any, report: Any, accept: str) -> None:
    client = api(alice, accept=accept)

    assert refused(lambda: client.post("/api/feedback/", report), 406)["code"] == "not_acceptable"


@pytest.mark.parametrize("path", [
    "/api/remedies/mi%00nt/", "/api/conditions/%00/", "/api/side-effects/%00/", "/api/patients/%00/",
    "/api/diagnoses/%00/", "/api/diagnoses/%00/events/", "/api/recommendations/%00/", "/api/feedback/%00/",
    "/api/analytics/remedies/%00", "/api/analytics/recommendations/%00", "/%00", "/api/%00",
    "/api/remedies/%FF/", "/api/remedies/%ED%A0%80/", "/api/feedback/not-a-uuid/", "/api/diagnoses/1/",
    "/api/remedies/" + "x" * 3000 + "/", "/api/patients/%00/contraindications/", "/api/patients/1/contraindications/",
    "/api/predictions/profile/%00", "/api/predictions/profile/1",
])  # fmt: skip
def test_a_path_that_names_nothing_is_not_found(api: Any, bob: Any, path: str) -> None:
    assert refused(lambda: api(bob).get(path), 404)["code"] == "not_found"


@pytest.mark.parametrize("query", [
    "feedback/?rating_min=abc", "feedback/?rating_min=0", "feedback/?rating_max=6", "feedback/?rating_min=NaN",
    "feedback/?rating_min=1e999999999", "feedback/?ordering=evil", "feedback/?ordering=created_at,evil",
    "feedback/?ordering=patient__full_name", "feedback/?recommendation=abc", "feedback/?patient=%00",
    "feedback/?since=yesterday", "feedback/?until=2026-02-30", "feedback/?remedy=%00",
    "diagnoses/?status=evil", "diagnoses/?severity=abc", "diagnoses/?patient=abc", "diagnoses/?condition=%00",
    "remedies/?kind=evil", "remedies/?q=%00", "conditions/?q=%00", "conditions/?category=%00", "side-effects/?q=%00",
    "analytics/trending?limit=51", "analytics/trending?limit=0", "analytics/most-effective?limit=abc",
    "analytics/most-effective?min_samples=1", "analytics/worst-performing?min_samples=4",
    "analytics/side-effects?min_samples=" + "9" * 30,
    "predictions/", "predictions/?diagnosis=abc", "predictions/?diagnosis=%00",
    "predictions/?diagnosis=<diagnosis>&optimization_level=evil",
    "predictions/?diagnosis=<diagnosis>&optimization_level=%00",
    "predictions/optimize?diagnosis=<diagnosis>", "predictions/optimize?diagnosis=<diagnosis>&target_effectiveness=NaN",
    "predictions/optimize?diagnosis=%00&target_effectiveness=0.5", "predictions/history?diagnosis=abc",
    "predictions/history?diagnosis=<diagnosis>&days=0", "predictions/history?diagnosis=<diagnosis>&days=" + "9" * 5000,
    "diagnoses/<diagnosis>/events/?since=abc", "diagnoses/<diagnosis>/events/?since=-1",
    "diagnoses/<diagnosis>/events/?since=" + "9" * 30,
])  # fmt: skip
def test_a_query_is_held_to_its_values(api: Any, bob: Any, filled: Any, query: str) -> None:
    assert refused(lambda: api(bob).get(filled(f"/api/{query}")), 400)["code"] == "invalid"


@pytest.mark.parametrize("query", [
    "feedback/?withdrawn=evil", "feedback/?evil=1", "feedback/?rating_min=", "feedback/?ordering=",
    "feedback/?since=0001-01-01&until=9999-12-31", "feedback/?rating_min=۳", "diagnoses/?severity=" + "9" * 30,
    "diagnoses/?severity=1.5", "remedies/?is_active=evil", "remedies/?q=%FF", "remedies/?q=" + "x" * 3000,
    "remedies/?q=%25_%5C", "patients/<patient>/contraindications/?standing=evil", "conditions/?q=%D8%B3%D8%B1",
])  # fmt: skip
def test_no_query_breaks_a_list(api: Any, bob: Any, filled: Any, query: str) -> None:
    assert api(bob).get(filled(f"/api/{query}")).status_code == 200


@pytest.mark.parametrize("page", ["999999", "0", "-1", "abc", "%00", "9" * 5000, "1e9", ""])
def test_a_page_that_is_not_there_is_not_found(api: Any, bob: Any, page: str) -> None:
    answer = api(bob).get(f"/api/feedback/?page={page}")

    assert answer.status_code == (404 if page else 200)


@pytest.mark.parametrize("size", ["100000", "9" * 20, "9" * 5000, "0", "-1", "abc", "%00"])
def test_a_page_has_a_hundred_rows_at_most(api: Any, sam: Any, size: str) -> None:
    for number in range(101):
        create_patient(actor=None, full_name=f"Patient {number}")

    answer = api(sam).get(f"/api/patients/?page_size={size}")

    assert len(answer.json()["results"]) == (100 if size in ("100000", "9" * 20) else 25)
