"""Breaking the glass: a practitioner opens a record of a care team they are not on, for a reason and for an hour."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from audit.models import AuditRecord
from diagnoses.actions import erase_patient
from diagnoses.glass import break_glass
from diagnoses.models import BrokenGlass, Diagnosis, Patient

REASON = {"reason": "she fainted in the hall"}


def opened(api: Any, user: User, diagnosis: Diagnosis) -> bool:
    """Whether the record is there for the user; all of it or nothing."""
    client = api(user)
    paths = (f"/api/patients/{diagnosis.patient_id}/", f"/api/diagnoses/{diagnosis.pk}/")
    [status] = {client.get(path).status_code for path in paths}
    return bool(status == 200)


def break_it(api: Any, user: User, patient: Any, **said: str) -> Any:
    return api(user).post(f"/api/patients/{patient}/break-glass", REASON | said)


def test_it_opens_the_record_and_ends_by_itself(api: Any, charlie: User, diagnosis: Diagnosis) -> None:
    assert not opened(api, charlie, diagnosis)
    assert break_it(api, charlie, diagnosis.patient_id).status_code == 202
    assert opened(api, charlie, diagnosis)

    BrokenGlass.objects.update(until=timezone.now() - timedelta(seconds=1))

    assert not opened(api, charlie, diagnosis)


def test_it_opens_no_other_record_and_to_nobody_else(api: Any, charlie: User, dora: User, diagnosis: Diagnosis) -> None:
    erin = User.objects.create(email="erin@clinic.example", role="practitioner")
    break_it(api, charlie, diagnosis.patient_id)

    assert api(charlie).get(f"/api/patients/{dora.patient.pk}/").status_code == 404
    assert not opened(api, erin, diagnosis)


def test_the_patient_the_care_team_and_the_head_see_who_and_why(
    api: Any, alice: User, bob: User, charlie: User, sam: User, patient: Patient
) -> None:
    break_it(api, charlie, patient.pk)

    for user in (alice, bob, sam):
        [seen] = api(user).get(f"/api/patients/{patient.pk}/broken-glass").json()["results"]
        assert (seen["practitioner"], seen["reason"], seen["reviewed_at"]) == ("Dr Charlie", REASON["reason"], None)
    told = api(alice).get("/api/me/access-log").json()["results"]
    [opening] = [one for one in told if one["action"] == "broke_glass"]
    assert (opening["purpose"], opening["reason"]) == ("emergency", REASON["reason"])
    exported = json.loads(api(alice).get("/api/me/export").getvalue())
    assert [one["reason"] for one in exported["emergency_accesses"]] == [REASON["reason"]]


def test_the_answer_does_not_tell_whether_there_is_such_a_record(
    api: Any, charlie: User, sam: User, patient: Patient, dora: User
) -> None:
    erase_patient(actor=None, patient_id=dora.patient.pk)
    named = [patient.pk, dora.patient.pk, uuid4()]

    answers = [break_it(api, charlie, one) for one in named]

    assert {(answer.status_code, *answer.json()) for answer in answers} == {(202, "until")}
    assert [glass.patient_id for glass in BrokenGlass.objects.all()] == [patient.pk]
    tries = AuditRecord.objects.filter(action="broke_glass").order_by("id")
    assert [(one.patient, one.actor_id, bool(one.object_id)) for one in tries] == [
        (patient.pk, charlie.pk, True), (named[1], charlie.pk, False), (named[2], charlie.pk, False),
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["", "  ", "emergency", "because .", "x" * 501])
def test_a_reason_is_some_words(api: Any, charlie: User, patient: Patient, reason: str) -> None:
    answer = break_it(api, charlie, patient.pk, reason=reason)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["reason"])
    assert not BrokenGlass.objects.exists()


def test_the_reason_is_sealed_and_not_in_the_trail(charlie: User, patient: Patient) -> None:
    break_glass(actor=charlie, patient_id=patient.pk, reason="planted words of reason")

    stored = BrokenGlass.objects.values_list("reason", flat=True).get()
    assert b"planted" not in bytes(stored)
    assert not AuditRecord.objects.filter(reason__contains="planted").exists()


def test_a_record_that_is_erased_closes(api: Any, charlie: User, diagnosis: Diagnosis) -> None:
    break_it(api, charlie, diagnosis.patient_id)

    erase_patient(actor=None, patient_id=diagnosis.patient_id)

    assert not opened(api, charlie, diagnosis)


def test_the_head_reviews_and_closes(
    client: Any, api: Any, charlie: User, sam: User, rita: User, diagnosis: Diagnosis
) -> None:
    break_it(api, charlie, diagnosis.patient_id)
    [glass] = BrokenGlass.objects.all()
    address = "/admin/diagnoses/brokenglass/"
    client.force_login(rita)
    assert client.get(address).status_code == 403

    client.force_login(sam)
    assert REASON["reason"] in client.get(f"{address}{glass.pk}/change/").content.decode()
    for action in ("review", "close"):
        client.post(address, {"action": action, "_selected_action": [glass.pk]})

    glass.refresh_from_db()
    assert glass.reviewed_by == sam and glass.reviewed_at is not None
    assert not opened(api, charlie, diagnosis)


def test_tries_are_counted(api: Any, charlie: User, patient: Patient) -> None:
    client = api(charlie)
    codes = {client.post(f"/api/patients/{uuid4()}/break-glass", REASON).status_code for _ in range(10)}

    assert codes == {202}
    assert client.post(f"/api/patients/{patient.pk}/break-glass", REASON).status_code == 429
