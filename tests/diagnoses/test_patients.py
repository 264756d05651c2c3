from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from diagnoses.actions import change_diagnosis, create_patient, record_diagnosis
from diagnoses.models import Patient

RECORD = {
    "full_name": "نو بیمار",
    "birth_date": "1990-01-31",
    "sex": "female",
    "mizaj_type": "cold_wet",
    "medical_history": "میگرن",
    "current_medications": "آسپرین",
}


def test_who_opens_a_record_is_on_its_care_team(api: Any, bob: Any) -> None:
    answer = api(bob).post("/api/patients/", RECORD)

    assert answer.status_code == 201
    patient = Patient.objects.get()
    assert list(patient.care_team.all()) == [bob] and patient.user is None
    assert answer.json().items() >= (RECORD | {"id": str(patient.pk)}).items()


def test_the_reception_opens_a_record_without_joining_its_care_team(api: Any, sam: Any) -> None:
    assert api(sam).post("/api/patients/", RECORD).status_code == 201
    assert not Patient.objects.get().care_team.exists()


def test_what_is_told_in_confidence_is_sealed_in_the_database(api: Any, bob: Any) -> None:
    api(bob).post("/api/patients/", RECORD)

    columns = Patient.objects.values_list("full_name", "medical_history", "current_medications").get()
    told = [RECORD["full_name"], RECORD["medical_history"], RECORD["current_medications"]]
    assert not [text for column, text in zip(columns, told, strict=True) if text.encode() in bytes(column)]


def test_a_key_sent_twice_opens_one_record(api: Any, bob: Any) -> None:
    client = api(bob)

    answers = [client.post("/api/patients/", RECORD, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert Patient.objects.count() == 1


def test_a_key_belongs_to_who_sent_it(api: Any, bob: Any, charlie: Any) -> None:
    answers = [api(who).post("/api/patients/", RECORD, headers={"Idempotency-Key": "k"}) for who in (bob, charlie)]

    assert [answer.status_code for answer in answers] == [201, 201]


def test_without_a_key_twice_is_two(api: Any, bob: Any) -> None:
    for _ in range(2):
        api(bob).post("/api/patients/", RECORD)

    assert Patient.objects.count() == 2


def test_a_key_whose_record_is_out_of_reach_is_refused(api: Any, bob: Any) -> None:
    send = lambda: api(bob).post("/api/patients/", RECORD, headers={"Idempotency-Key": "k"})  # noqa: E731
    send()
    Patient.objects.get().care_team.clear()

    answer = send()

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "key_used")


@pytest.mark.parametrize("change", [
    {"mizaj_type": "dry"}, {"mizaj_type": ""}, {"birth_date": None}, {"medical_history": "هیچ"}, 
    {"full_name": "Alice O."}, {"sex": "male", "current_medications": ""}, {},
])  # fmt: skip
def test_the_care_team_keeps_the_record(api: Any, bob: Any, patient: Any, change: Any) -> None:
    answer = api(bob).patch(f"/api/patients/{patient.pk}/", change)

    assert answer.status_code == 200
    assert answer.json().items() >= change.items()
    assert api(bob).get(f"/api/patients/{patient.pk}/").json() == answer.json()


def test_of_two_who_change_the_same_the_second_is_told_what_is_there(api: Any, bob: Any, patient: Any) -> None:
    patient.medical_history = "asthma \n"
    patient.save()
    client, path = api(bob), f"/api/patients/{patient.pk}/"
    read = client.get(path).json()
    seen = {name: read[name] for name in RECORD}

    first = client.patch(path, {"medical_history": "none", "birth_date": "1990-01-31", "seen": seen})
    other = client.patch(path, {"sex": "female", "seen": seen})
    second = client.patch(path, {"medical_history": "migraine", "seen": seen})
    again = client.patch(path, {"medical_history": "migraine", "seen": seen | {"medical_history": "none"}})
    late = client.patch(path, {"birth_date": None, "full_name": "A", "seen": seen | {"birth_date": "1980-01-31"}})

    assert [answer.status_code for answer in (first, other, second, again, late)] == [200, 200, 409, 200, 409]
    error = second.json()["error"]
    assert (error["code"], error["current"]) == ("changed_meanwhile", other.json())
    assert client.get(path).json() == late.json()["error"]["current"] == again.json()


@pytest.mark.parametrize("change", [
    {"mizaj_type": "hot"}, {"sex": "x"}, {"full_name": ""}, {"full_name": None}, {"medical_history": "x" * 10_001},
])  # fmt: skip
def test_what_does_not_fit_is_named(api: Any, bob: Any, patient: Any, change: Any) -> None:
    answer = api(bob).patch(f"/api/patients/{patient.pk}/", change)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, list(change))


def test_nobody_gives_a_record_to_somebody_else(api: Any, bob: Any, patient: Any, alice: Any, dora: Any) -> None:
    api(bob).patch(f"/api/patients/{patient.pk}/", {"user": dora.pk, "source": "demo", "care_team": []})

    patient.refresh_from_db()
    assert (patient.user, patient.source, patient.care_team.get()) == (alice, "clinic", bob)


def test_pages_hold_every_record_once_in_one_order(api: Any, sam: Any) -> None:
    at = create_patient(actor=None, full_name="0").created_at
    for number in range(1, 7):
        create_patient(actor=None, full_name=f"{number}", created_at=at)

    pages = [api(sam).get(f"/api/patients/?page_size=3&page={page}").json() for page in (1, 2, 3)]

    names = [row["full_name"] for page in pages for row in page["results"]]
    assert names == ["6", "5", "4", "3", "2", "1", "0"]
    assert [page["count"] for page in pages] == [7, 7, 7]


def treat(patient: Patient, condition: Any) -> Any:
    return record_diagnosis(actor=None, patient=patient, condition=condition, severity=3)


def test_a_list_names_what_is_being_treated(api: Any, bob: Any, patient: Patient, headache: Any) -> None:
    diagnosis, resolved = treat(patient, headache), treat(patient, headache)
    change_diagnosis(actor=bob, diagnosis=resolved, changes={"status": "resolved"})

    (row,) = api(bob).get("/api/patients/").json()["results"]

    assert row["active_diagnoses"] == [{"id": str(diagnosis.pk), "condition_name": "Headache", "severity": 3}]


@pytest.mark.parametrize(("asked", "found"), [
    ("condition=headache", ["Alice Owner"]), ("condition=insomnia", []), ("mizaj_type=warm_dry", ["Alice Owner"]),
    ("mizaj_type=cold", []), ("mizaj_type=warm_dry&condition=headache", ["Alice Owner"]),
])  # fmt: skip
def test_patients_are_found_by_temperament_and_by_what_is_being_treated(
    api: Any, bob: Any, patient: Patient, headache: Any, asked: str, found: list[str]
) -> None:
    create_patient(actor=None, full_name="Somebody else", care_team=[bob])
    for _ in range(2):  # found once nevertheless
        treat(patient, headache)

    rows = api(bob).get(f"/api/patients/?{asked}").json()["results"]

    assert [row["full_name"] for row in rows] == found


def test_what_is_over_finds_nobody(api: Any, bob: Any, patient: Patient, headache: Any) -> None:
    change_diagnosis(actor=bob, diagnosis=treat(patient, headache), changes={"status": "resolved"})

    assert api(bob).get("/api/patients/?condition=headache").json()["count"] == 0


def test_a_list_asks_the_database_as_often_for_many(api: Any, sam: Any, headache: Any) -> None:
    client, asked = api(sam), []
    for more in (2, 10):
        for number in range(more):
            treat(create_patient(actor=None, full_name=f"{number}"), headache)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/api/patients/").json()["count"] in (2, 12)
        asked.append(len(queries))

    assert asked == [4, 4]  # session, rows, active diagnoses, audit records
