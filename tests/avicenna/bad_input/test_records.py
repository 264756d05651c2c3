"""What may be written of a patient, a diagnosis and a recommendation."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from diagnoses.models import Patient
from tests.avicenna.bad_input.refusal import HUGE, NOT_ONE_TO_FIVE, fields_refused, refused


def tomorrow() -> str:
    return (timezone.localdate() + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(
    "born", ["future", "1990-02-30", "yesterday", "1990-01-01T00:00", 1990, True, [], {}], ids=repr
)
def test_a_birth_date_is_a_day_that_was(api: Any, bob: Any, patient: Any, born: Any) -> None:
    client = api(bob)
    given = tomorrow() if born == "future" else born

    for send in (
        lambda: client.post("/api/patients/", {"full_name": "New", "birth_date": given}),
        lambda: client.patch(f"/api/patients/{patient.pk}/", {"birth_date": given}),
    ):
        assert fields_refused(send) == ["birth_date"]


@pytest.mark.parametrize("born", ["today", "1990-01-31", "۱۹۹۰-۰۱-۳۱", None])
def test_a_birth_date_may_be_today_or_unknown(api: Any, bob: Any, born: Any) -> None:
    given = timezone.localdate().isoformat() if born == "today" else born

    answer = api(bob).post("/api/patients/", {"full_name": "New", "birth_date": given})

    assert answer.status_code == 201
    assert answer.json()["birth_date"] in (None, date(1990, 1, 31).isoformat(), timezone.localdate().isoformat())


@pytest.mark.parametrize("value", [*NOT_ONE_TO_FIVE], ids=lambda value: repr(value)[:12])
def test_a_severity_is_from_one_to_five(api: Any, bob: Any, diagnosis: Any, value: Any) -> None:
    client = api(bob)
    new = {"patient": str(diagnosis.patient_id), "condition": "headache", "severity": value}

    for send in (
        lambda: client.post("/api/diagnoses/", new),
        lambda: client.patch(f"/api/diagnoses/{diagnosis.pk}/", {"severity": value}),
    ):
        assert fields_refused(send) == ["severity"]


@pytest.mark.parametrize(
    "days", [0, 731, -1, 4.5, True, "", "a week", HUGE, [], {}], ids=lambda value: repr(value)[:12]
)
def test_a_duration_is_at_most_two_years(api: Any, bob: Any, recommendation: Any, violet: Any, days: Any) -> None:
    client, root = api(bob), f"/api/recommendations/{recommendation.pk}/"

    for send in (
        lambda: client.patch(root, {"duration_days": days}),
        lambda: client.post(f"{root}replace/", {"remedy": "sweet-violet", "duration_days": days}),
    ):
        assert fields_refused(send) == ["duration_days"]


@pytest.mark.parametrize("symptoms", ["pain", {"a": 1}, None, [None], [[]], [{}], ["x" * 201], ["x"] * 31, [True]],
                         ids=lambda value: repr(value)[:16])  # fmt: skip
def test_symptoms_are_a_short_list_of_texts(api: Any, bob: Any, diagnosis: Any, symptoms: Any) -> None:
    send = lambda: api(bob).patch(f"/api/diagnoses/{diagnosis.pk}/", {"symptoms": symptoms})  # noqa: E731

    assert fields_refused(send) == ["symptoms"]


def test_an_idempotency_key_has_200_characters_at_most(api: Any, bob: Any) -> None:
    client = api(bob)
    post = lambda key: client.post("/api/patients/", {"full_name": "New"}, headers={"Idempotency-Key": key})  # noqa: E731

    assert fields_refused(lambda: post("k" * 201)) == ["Idempotency-Key"]
    assert post("k" * 200).status_code == 201


@pytest.mark.parametrize(
    "body", [[], "x", 5, None, {"password": 5, "confirmation": []}, {"password": "x" * 201}], ids=repr
)
def test_an_erasure_takes_a_password_and_its_word(api: Any, alice: Any, patient: Any, body: Any) -> None:
    assert refused(lambda: api(alice).post("/api/me/erasure", body), 400)["code"] == "invalid"
    assert Patient.objects.get().erased_at is None


@pytest.mark.parametrize("value", [None, "", "x", 2, [], {}, [True]], ids=repr)
def test_a_consent_is_given_or_withdrawn(api: Any, alice: Any, patient: Any, value: Any) -> None:
    assert fields_refused(lambda: api(alice).put("/api/me/consents", {"training": value})) == ["training"]
