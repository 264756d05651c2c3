from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from diagnoses.actions import recommend, record_diagnosis
from diagnoses.models import Diagnosis
from predictions.levels import Level
from predictions.ranking import rank_all

BATCH = "/api/predictions/batch"


@pytest.fixture
def twenty(bob: Any, tried: Any, mint: Any, violet: Any) -> list[str]:
    return [str(diagnosis.pk) for diagnosis in tried(20, {mint: 4, violet: 2})]


def test_each_is_ranked_as_it_is_alone_and_in_the_order_asked_for(
    api: Any, asked: Any, bob: Any, twenty: list[str], learned: Any
) -> None:
    learned(remedy={"mint": -1.0, "sweet-violet": 1.0})
    twenty.reverse()

    found = api(bob).post(BATCH, {"diagnoses": twenty, "optimization_level": "aggressive"}).json()

    assert [ranking["diagnosis"] for ranking in found] == twenty
    assert found[0] == asked(bob, diagnosis=twenty[0], optimization_level="aggressive")


def test_twenty_ask_as_often_as_one(api: Any, bob: Any, twenty: list[str], learned: Any) -> None:
    learned(remedy={"mint": -1.0, "sweet-violet": 1.0})
    client, asked = api(bob), []
    client.post(BATCH, {"diagnoses": twenty})
    for some in (twenty[1:2], twenty):
        with CaptureQueriesContext(connection) as queries:
            assert len(client.post(BATCH, {"diagnoses": some, "optimization_level": "conservative"}).json()) == len(
                some
            )
        asked.append(len(queries))

    assert asked[0] == asked[1] <= 4  # session, diagnoses, recommendations, evidence


def test_beside_requests_the_same_is_ranked_and_not_counted(
    api: Any, bob: Any, twenty: list[str], learned: Any
) -> None:
    learned(remedy={"mint": -1.0, "sweet-violet": 1.0})
    answered = api(bob).post(BATCH, {"diagnoses": twenty}).json()
    counted = REGISTRY.get_sample_value("predictions_total", {"optimization_level": "balanced"})

    rankings = rank_all(list(Diagnosis.objects.for_list().filter(pk__in=twenty)), Level.BALANCED)

    scores = {str(one.diagnosis.pk): [prediction.score for prediction in one.predictions] for one in rankings}
    assert scores == {one["diagnosis"]: [row["score"] for row in one["predictions"]] for one in answered}
    assert REGISTRY.get_sample_value("predictions_total", {"optimization_level": "balanced"}) == counted


def test_one_without_recommendations_is_empty_among_the_others(
    api: Any, bob: Any, patient: Any, headache: Any, twenty: list[str]
) -> None:
    empty = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=1)

    found = api(bob).post(BATCH, {"diagnoses": [str(empty.pk), *twenty[:2]]}).json()

    assert [len(ranking["predictions"]) for ranking in found] == [0, 2, 2]


def test_each_is_worded_for_its_reader(
    api: Any, alice: Any, bob: Any, patient: Any, diagnosis: Any, other_diagnosis: Any, mint: Any, learned: Any
) -> None:
    for one in (diagnosis, other_diagnosis):
        recommend(actor=bob, diagnosis=one, remedy=mint)
    learned(patient={patient.pk.hex: 1.0})

    told = [
        {row["reasons"][0] for ranking in api(user).post(BATCH, asked).json() for row in ranking["predictions"]}
        for asked in [{"diagnoses": [str(diagnosis.pk), str(other_diagnosis.pk)]}]
        for user in (alice, bob)
    ]

    assert told == [{"Your earlier treatments went well."}, {"This patient's earlier treatments went well."}]


@pytest.mark.parametrize("missing", ["foreign", "unknown"])
def test_one_that_cannot_be_seen_hides_all(
    api: Any, charlie: Any, twenty: list[str], dora: Any, headache: Any, mint: Any, missing: str
) -> None:
    dora.patient.care_team.add(charlie)
    own = record_diagnosis(actor=charlie, patient=dora.patient, condition=headache, severity=1)
    recommend(actor=charlie, diagnosis=own, remedy=mint)
    client, other = api(charlie), twenty[0] if missing == "foreign" else str(uuid4())

    assert client.post(BATCH, {"diagnoses": [str(own.pk)]}).status_code == 200
    answer = client.post(BATCH, {"diagnoses": [str(own.pk), other]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("given", [
    [], None, "x", {}, 5, ["x"], [None], [[]], "<one>", "<twice>", "<twenty-one>",
], ids=repr)  # fmt: skip
def test_one_to_twenty_different_diagnoses_are_asked_for(api: Any, bob: Any, diagnosis: Any, given: Any) -> None:
    one = str(diagnosis.pk)
    lists = {"<one>": one, "<twice>": [one, one.upper()], "<twenty-one>": [str(uuid4()) for _ in range(21)]}

    answer = api(bob).post(BATCH, {"diagnoses": lists.get(given, given) if isinstance(given, str) else given})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["diagnoses"])


@pytest.mark.parametrize("body", [{}, {"diagnoses": "<one>", "optimization_level": "reckless"}, []])
def test_a_body_is_held_to_its_fields(api: Any, bob: Any, diagnosis: Any, body: Any) -> None:
    if body and body.get("diagnoses"):
        body = body | {"diagnoses": [str(diagnosis.pk)]}

    assert api(bob).post(BATCH, body).status_code == 400


def test_all_that_is_asked_of_predictions_counts_together(
    api: Any, alice: Any, diagnosis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_ratelimit.core._get_window", lambda *_: 4_000_000_000)  # no minute ends meanwhile
    client, one = api(alice), {"diagnosis": str(diagnosis.pk)}
    for _ in range(96):
        client.get("/api/predictions/", one)
    answers = [
        client.get("/api/predictions/optimize", one | {"target_effectiveness": 0.5}),
        client.get("/api/predictions/history", one),
        client.get(f"/api/predictions/profile/{diagnosis.patient_id}"),
        client.post(BATCH, {"diagnoses": [str(diagnosis.pk)]}),
        client.get("/api/predictions/", one),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert answers[-1].json()["error"]["code"] == "too_many_requests" and int(answers[-1]["Retry-After"]) > 0
