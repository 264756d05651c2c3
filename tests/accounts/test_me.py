from __future__ import annotations

from typing import Any

import pytest


def test_one_sees_oneself_and_ones_record(api: Any, alice: Any, patient: Any) -> None:
    assert api(alice).get("/api/me").json() == {
        "id": alice.pk,
        "email": "alice@clinic.example",
        "name": "Alice",
        "role": "patient",
        "language": "fa",
        "patient": str(patient.pk),
    }


def test_who_is_nobodys_patient_has_no_record(api: Any, bob: Any, patient: Any) -> None:
    assert api(bob).get("/api/me").json()["patient"] is None


@pytest.mark.parametrize("change", [{"language": "en"}, {"name": "آلیس"}, {"name": "", "language": "fa"}])
def test_name_and_language_can_be_changed(api: Any, alice: Any, change: Any) -> None:
    answer = api(alice).patch("/api/me", change)

    assert answer.status_code == 200
    alice.refresh_from_db()
    assert {name: getattr(alice, name) for name in change} == {name: answer.json()[name] for name in change} == change


@pytest.mark.parametrize("change", [{"language": "de"}, {"language": None}, {"name": "x" * 151}, {"name": None}])
def test_what_does_not_fit_is_named(api: Any, alice: Any, change: Any) -> None:
    answer = api(alice).patch("/api/me", change)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, list(change))


def test_nobody_gives_themselves_another_role_or_address(api: Any, alice: Any, bob: Any) -> None:
    api(alice).patch("/api/me", {"role": "head", "email": "bob@clinic.example", "is_active": False, "id": bob.pk})

    alice.refresh_from_db()
    assert (alice.role, alice.email, alice.is_active) == ("patient", "alice@clinic.example", True)


def test_an_empty_change_changes_nothing(api: Any, alice: Any) -> None:
    assert api(alice).patch("/api/me", {}).json() == api(alice).get("/api/me").json()
