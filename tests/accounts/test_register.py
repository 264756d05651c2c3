from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from diagnoses.models import Patient

NEW = {"email": "New@Clinic.example", "password": "saffron-and-rose", "full_name": "نو بیمار"}


@pytest.fixture
def client(api: Any, db: None) -> Any:
    return api()


def test_a_person_becomes_a_patient_with_a_record(client: Any) -> None:
    answer = client.post("/api/auth/register", NEW | {"birth_date": "1990-01-31", "sex": "female", "language": "en"})

    assert answer.status_code == 201, answer.json()
    user, patient = User.objects.get(), Patient.objects.get()
    assert (user.email, user.role, user.language) == ("new@clinic.example", "patient", "en")
    assert (patient.user, patient.full_name, patient.sex, f"{patient.birth_date}") == (
        user, "نو بیمار", "female", "1990-01-31",
    )  # fmt: skip
    assert answer.json()["patient"] == str(patient.pk)


def test_nobody_cares_for_the_record_yet(client: Any, bob: Any, api: Any) -> None:
    pk = client.post("/api/auth/register", NEW).json()["patient"]

    assert not Patient.objects.get().care_team.exists()
    assert api(bob).get(f"/api/patients/{pk}/").status_code == 404


def test_the_password_is_kept_as_argon2_and_never_answered(client: Any) -> None:
    answer = client.post("/api/auth/register", NEW)

    assert User.objects.get().password.startswith("argon2$argon2id$")
    assert NEW["password"] not in answer.content.decode()


@pytest.mark.parametrize(
    "email", ["new@clinic.example", "NEW@CLINIC.EXAMPLE", "nEw@clinic.Example", " new@clinic.example "]
)
def test_one_address_is_one_account_however_it_is_typed(client: Any, email: str) -> None:
    client.post("/api/auth/register", NEW)

    answer = client.post("/api/auth/register", NEW | {"email": email})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "email_taken")
    assert list(answer.json()["error"]["fields"]) == ["email"]
    assert (User.objects.count(), Patient.objects.count()) == (1, 1)


@pytest.mark.parametrize(("password", "reasons"), [
    ("short", 1), ("83927465019", 1), ("password123", 1), ("12345", 3), ("new@clinic.example", 1), ("new@clinic", 1),
])  # fmt: skip
def test_a_weak_password_is_refused_with_every_reason(client: Any, password: str, reasons: int) -> None:
    error = client.post("/api/auth/register", NEW | {"password": password}).json()["error"]

    assert (error["code"], list(error["fields"]), len(error["fields"]["password"])) == (
        "invalid",
        ["password"],
        reasons,
    )
    assert not User.objects.exists()


def test_the_reasons_are_in_the_callers_language(api: Any, db: None) -> None:
    answer = api(accept_language="fa").post("/api/auth/register", NEW | {"password": "password123"})

    assert answer.json()["error"]["fields"]["password"] == ["این رمز عبور بسیار رایج است."]


@pytest.mark.parametrize(("field", "value"), [
    ("email", "no-address"), ("email", "a@b"), ("email", ""), ("email", "x" * 250 + "@clinic.example"),
    ("full_name", ""), ("full_name", "  "), ("full_name", "x" * 201), ("password", ""), ("password", "x" * 201),
    ("language", "de"), ("sex", "other"), ("birth_date", "2999-01-01"),
])  # fmt: skip
def test_what_does_not_fit_is_named(client: Any, field: str, value: str) -> None:
    answer = client.post("/api/auth/register", NEW | {field: value})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["email", "password", "full_name"])
def test_three_things_are_needed(client: Any, field: str) -> None:
    answer = client.post("/api/auth/register", {name: value for name, value in NEW.items() if name != field})

    assert list(answer.json()["error"]["fields"]) == [field]


def test_nobody_makes_themselves_staff(client: Any) -> None:
    client.post("/api/auth/register", NEW | {"role": "head", "is_superuser": True, "is_staff": True})

    user = User.objects.get()
    assert (user.role, user.is_superuser, user.is_staff) == ("patient", False, False)


def test_an_address_registers_ten_times_an_hour(client: Any) -> None:
    answers = [client.post("/api/auth/register", {}) for _ in range(21)]  # an hour may end in between

    assert [answer.status_code for answer in answers[:10]] == [400] * 10
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited and all(0 < int(answer["Retry-After"]) <= 3600 for answer in limited)
    assert all(answer.json()["error"]["code"] == "too_many_requests" for answer in limited)
