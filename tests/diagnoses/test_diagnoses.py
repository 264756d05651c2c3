from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from diagnoses.actions import record_diagnosis
from diagnoses.models import Condition, Diagnosis


def told(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    return [(event.type, event.payload["action"]) for event in diagnosis.events.order_by("seq")]


@pytest.fixture
def new(patient: Any, headache: Any) -> dict[str, Any]:
    return {
        "patient": str(patient.pk),
        "condition": "headache",
        "severity": 3,
        "imbalance": "warm_dry",
        "symptoms": ["درد", "تب"],
        "notes": "a secret",
    }


def test_a_diagnosis_is_recorded_and_told(api: Any, bob: Any, new: Any) -> None:
    answer = api(bob).post("/api/diagnoses/", new)

    assert answer.status_code == 201, answer.json()
    assert answer.json().items() >= (new | {"practitioner": "Dr Bob", "status": "active", "head": 1}).items()
    diagnosis = Diagnosis.objects.get()
    assert (diagnosis.practitioner, told(diagnosis)) == (bob, [("diagnosis_update", "recorded")])


def test_notes_and_symptoms_stay_sealed_and_out_of_the_stream(api: Any, bob: Any, new: Any) -> None:
    pk = api(bob).post("/api/diagnoses/", new).json()["id"]
    api(bob).patch(f"/api/diagnoses/{pk}/", {"notes": "another secret", "symptoms": ["secret"]})

    diagnosis = Diagnosis.objects.get()
    assert not any("secret" in str(event.payload) for event in diagnosis.events.all())
    sealed = Diagnosis.objects.values_list("notes", "symptoms").get()
    assert not any(b"secret" in bytes(column) for column in sealed)


def test_a_key_sent_twice_records_once(api: Any, bob: Any, new: Any) -> None:
    answers = [api(bob).post("/api/diagnoses/", new, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert told(Diagnosis.objects.get()) == [("diagnosis_update", "recorded")]


def test_a_new_diagnosis_is_active_whatever_is_sent(api: Any, bob: Any, new: Any) -> None:
    answer = api(bob).post("/api/diagnoses/", new | {"status": "resolved", "head": 7, "practitioner": "Dr Evil"})

    assert (answer.json()["status"], answer.json()["head"], answer.json()["practitioner"]) == ("active", 1, "Dr Bob")


def test_a_retired_condition_is_not_diagnosed(api: Any, bob: Any, new: Any) -> None:
    Condition.objects.update(is_active=False)

    answer = api(bob).post("/api/diagnoses/", new)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["condition"])
    assert not Diagnosis.objects.exists()


@pytest.mark.parametrize("change", [
    {"severity": 5}, {"imbalance": ""}, {"symptoms": []}, {"notes": "besser"}, {"status": "resolved", "severity": 1},
])  # fmt: skip
def test_a_change_is_stored_and_told_once(api: Any, bob: Any, diagnosis: Any, change: Any) -> None:
    diagnosis.notes, diagnosis.symptoms = "schlecht", ["pain"]
    diagnosis.save()

    answer = api(bob).patch(f"/api/diagnoses/{diagnosis.pk}/", change)

    assert answer.status_code == 200 and answer.json().items() >= (change | {"head": 2}).items()
    event = diagnosis.events.get(seq=2)
    assert (event.payload["action"], sorted(event.payload["changed_fields"])) == ("changed", sorted(change))


def test_what_is_as_it_was_is_not_told(api: Any, bob: Any, diagnosis: Any) -> None:
    for same in ({}, {"severity": 3, "imbalance": "warm", "status": "active"}):
        assert api(bob).patch(f"/api/diagnoses/{diagnosis.pk}/", same).json()["head"] == 1


@pytest.mark.parametrize("other", [
    {"patient": "another"}, {"condition": "fever"}, {"practitioner": "Dr Evil"}, {"created_at": None}, {"id": []},
    {"patient": 1, "condition": 2},
])  # fmt: skip
def test_whom_it_is_for_what_it_is_and_who_made_it_are_fixed(api: Any, bob: Any, diagnosis: Any, other: Any) -> None:
    answer = api(bob).patch(f"/api/diagnoses/{diagnosis.pk}/", other | {"severity": 5})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["fields"].keys()) == (400, "invalid", other.keys())
    diagnosis.refresh_from_db()
    assert (diagnosis.severity, diagnosis.head) == (3, 1)


def test_the_whole_diagnosis_may_come_back_with_a_change(api: Any, bob: Any, diagnosis: Any) -> None:
    path = f"/api/diagnoses/{diagnosis.pk}/"

    answer = api(bob).patch(path, api(bob).get(path).json() | {"severity": 5})

    assert (answer.status_code, answer.json()["severity"]) == (200, 5)


@pytest.mark.parametrize("status", ["resolved", "entered_in_error"])
def test_a_closed_diagnosis_takes_no_recommendation(
    api: Any, bob: Any, recommendation: Any, diagnosis: Any, violet: Any, status: str
) -> None:
    client = api(bob)
    client.patch(f"/api/diagnoses/{diagnosis.pk}/", {"status": status})
    root = f"/api/recommendations/{recommendation.pk}/"

    answers = [
        client.post(f"/api/diagnoses/{diagnosis.pk}/recommendations/", {"remedy": "sweet-violet"}),
        client.patch(root, {"dosage": "1 g"}),
        client.post(f"{root}complete/"),
        client.post(f"{root}stop/"),
        client.post(f"{root}replace/", {"remedy": "sweet-violet"}),
    ]

    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [(409, "diagnosis_closed")] * 5
    recommendation.refresh_from_db()
    assert (recommendation.is_active, diagnosis.recommendations.count()) == (True, 1)


def test_a_resolved_diagnosis_can_be_taken_up_again(api: Any, bob: Any, diagnosis: Any, violet: Any) -> None:
    client = api(bob)
    for status in ("resolved", "active"):
        client.patch(f"/api/diagnoses/{diagnosis.pk}/", {"status": status})

    answer = client.post(f"/api/diagnoses/{diagnosis.pk}/recommendations/", {"remedy": "sweet-violet"})

    assert answer.status_code == 201


def test_filters_narrow_the_list(api: Any, bob: Any, sam: Any, diagnosis: Any, dora: Any, headache: Any) -> None:
    fever = Condition.objects.create(slug="fever", name_en="Fever", name_fa="تب")
    other = record_diagnosis(actor=None, patient=dora.patient, condition=fever, severity=5)

    def found(query: str, user: Any = sam) -> set[str]:
        return {row["id"] for row in api(user).get(f"/api/diagnoses/?{query}").json()["results"]}

    mine, theirs = {str(diagnosis.pk)}, {str(other.pk)}
    assert found("") == mine | theirs
    assert found("condition=fever") == found("severity=5") == found(f"patient={dora.patient.pk}") == theirs
    assert found("status=active") == mine | theirs and found("status=resolved") == set()
    assert found(f"patient={dora.patient.pk}", user=bob) == set()


def test_pages_hold_every_diagnosis_once_in_one_order(api: Any, bob: Any, patient: Any, headache: Any) -> None:
    first = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=1)
    rest = [
        record_diagnosis(actor=bob, patient=patient, condition=headache, severity=1, created_at=first.created_at)
        for _ in range(4)
    ]

    pages = [api(bob).get(f"/api/diagnoses/?page_size=2&page={page}").json()["results"] for page in (1, 2, 3)]

    assert [row["id"] for page in pages for row in page] == [str(d.pk) for d in reversed([first, *rest])]


def test_a_list_asks_the_database_as_often_for_many(api: Any, bob: Any, patient: Any, headache: Any) -> None:
    client, asked = api(bob), []
    for more in (2, 10):
        for _ in range(more):
            record_diagnosis(actor=bob, patient=patient, condition=headache, severity=1)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/diagnoses/").json()["count"] in (2, 12)
        asked.append(len(queries))

    assert asked == [3, 2]  # session, rows; the first time the audit record


def test_of_two_who_change_the_same_the_second_is_told_what_is_there(api: Any, bob: Any, diagnosis: Any) -> None:
    diagnosis.notes, diagnosis.symptoms = "old \n", ["pain "]
    diagnosis.save()
    client, path = api(bob), f"/api/diagnoses/{diagnosis.pk}/"
    read = client.get(path).json()
    seen = {name: read[name] for name in ("severity", "imbalance", "symptoms", "notes")}

    first = client.patch(path, {"notes": "new", "symptoms": ["fever"], "seen": seen})
    other = client.patch(path, {"severity": 5, "seen": seen})
    second = client.patch(path, {"notes": "newer", "severity": 1, "seen": seen | {"severity": 5}})
    again = client.patch(path, {"notes": "newer", "severity": 1, "seen": seen | {"severity": 5, "notes": "new"}})
    late = client.patch(path, {"symptoms": ["cold"], "seen": seen})

    assert [answer.status_code for answer in (first, other, second, again, late)] == [200, 200, 409, 200, 409]
    error = second.json()["error"]
    assert (error["code"], error["current"]) == ("changed_meanwhile", other.json())
    assert late.json()["error"]["current"] == again.json()


def test_the_same_change_sent_again_is_no_other_change(api: Any, bob: Any, diagnosis: Any) -> None:
    path, change = f"/api/diagnoses/{diagnosis.pk}/", {"notes": "new", "seen": {"notes": diagnosis.notes}}

    answers = [api(bob).patch(path, change) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
