"""A patient leaves for ever: nobody can read or tell any more, and the figures stay."""

from __future__ import annotations

import threading
from io import StringIO
from itertools import chain
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.actions import erase_again, erase_person
from accounts.models import Session, User
from analytics.models import EffectivenessRollup, SubjectPatient
from avicenna.data_keys import data_keys
from avicenna.encryption import Sealed
from avicenna.resealing import columns
from diagnoses.actions import contraindicate
from diagnoses.models import Contraindication, Diagnosis, Patient, PatientKey, Recommendation
from feedback.models import Feedback
from realtime.models import DiagnosisEvent
from tests.avicenna.test_permissions import TABLE, address

PASSWORD = "saffron-and-rose"
WANTED = {"password": PASSWORD, "confirmation": "erase"}
CLEAR = ["Alice", "alice@clinic", "planted-dosage", "planted-device"]
PLANTED = [*CLEAR, "planted-history", "planted-comment", "planted-reason"]


@pytest.fixture
def record(
    alice: User, bob: User, patient: Patient, recommendation: Recommendation, violet: Any, nausea: Any, api: Any
) -> Recommendation:
    """Alice's record, with something to find in every place."""
    alice.set_password(PASSWORD)
    alice.save()
    Session.objects.create(user=alice, device="planted-device")
    patient.medical_history = "planted-history"
    patient.save()
    recommendation.dosage = "planted-dosage"
    recommendation.save()
    said = {"recommendation": recommendation.pk, "rating": 4, "symptom_improvement": 4, "comment": "planted-comment"}
    said |= {"side_effects": [{"effect": "nausea", "severity": 4}], "client_id": str(uuid4())}
    assert api(alice).post("/api/feedback/", said).status_code == 201
    other = Contraindication.Cause.OTHER
    contraindicate(actor=bob, patient=patient, remedy=violet, cause=other, reason="planted-reason")
    return recommendation


def dump() -> str:
    """Every value of every table."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found += map(_shown, chain.from_iterable(cursor.fetchall()))
    return "\n".join(found)


def _shown(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, memoryview | bytes) else str(value)


def figures() -> list[Any]:
    rollups = EffectivenessRollup.objects.order_by("pk").values_list()
    return [*rollups, *SubjectPatient.objects.order_by("pk").values_list()]


def test_nothing_that_could_tell_is_left_and_the_figures_stay(api: Any, alice: User, record: Any) -> None:
    before = figures()
    found = dump()
    assert [word for word in PLANTED if word in found] == CLEAR

    assert api(alice).post("/api/me/erasure", WANTED).status_code == 204

    found = dump()
    assert not [word for word in PLANTED if word in found]
    assert figures() == before
    said = StringIO()
    call_command("rebuild_analytics", "--check", stdout=said)
    assert "No difference" in said.getvalue()


def test_no_key_that_is_left_opens_what_was_sealed(api: Any, alice: User, patient: Patient, record: Any) -> None:
    Patient.objects.update(key=None)  # from before patients had keys
    data_keys.forget()
    clear = Patient.objects.get()
    clear.full_name = "Alice Owner"
    clear.save()
    assert not Patient.objects.values_list("full_name", flat=True).get().is_personal

    erase_person(actor=None, patient=clear)
    data_keys.forget()

    values = [
        Sealed(value)
        for column in columns() if column.way
        for value in column.model._base_manager.values_list(column.field.name, flat=True)
    ]  # fmt: skip
    assert all(value.is_personal for value in values)
    assert Patient.objects.get().full_name == "[erased]"
    assert Patient.objects.get().key.secret is None


def test_the_account_is_gone_and_may_come_back_as_another(api: Any, alice: User, record: Any) -> None:
    client = api(alice)
    assert client.post("/api/me/erasure", WANTED).status_code == 204

    assert client.get("/api/me").status_code == 401
    assert api().post("/api/auth/token", {"email": "alice@clinic.example", "password": PASSWORD}).status_code == 401
    again = {"email": "alice@clinic.example", "password": PASSWORD, "full_name": "Alice again"}
    assert api().post("/api/auth/register", again).status_code == 201
    assert not Session.objects.filter(user=alice).exists()


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"password": "wrong", "confirmation": "erase"}, "password"),
        ({"password": PASSWORD, "confirmation": "yes"}, "confirmation"),
        ({"password": PASSWORD}, "confirmation"),
        ({"confirmation": "erase"}, "password"),
    ],
)
def test_nobody_is_erased_by_mistake(api: Any, alice: User, record: Any, wanted: Any, field: str) -> None:
    answer = api(alice).post("/api/me/erasure", wanted)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert Patient.objects.get().erased_at is None


def test_staff_erases_for_a_patient_who_asks(api: Any, sam: User, alice: User, patient: Patient, record: Any) -> None:
    sam.set_password(PASSWORD)
    sam.save()

    assert api(sam).post(f"/api/patients/{patient.pk}/erasure", WANTED).status_code == 204

    patient.refresh_from_db()
    assert patient.erased_at
    assert not User.objects.get(pk=alice.pk).is_active


def test_what_is_erased_exists_for_nobody(
    api: Any, bob: User, charlie: User, dora: User, sam: User, patient: Patient, diagnosis: Diagnosis, record: Any
) -> None:
    """Every address that names a part of the record, asked by everybody who is left."""
    feedback = Feedback.objects.get()
    ids = {
        "patients": patient.pk, "contraindications": Contraindication.objects.get().pk, "profile": patient.pk,
        "diagnoses": diagnosis.pk, "recommendations": record.pk, "feedback": feedback.pk,
        "severe-side-effects": feedback.flag.pk,
    }  # fmt: skip
    erase_person(actor=None, patient=patient)
    # Breaking the glass says of every number the same: tests/diagnoses/test_glass.py.
    rows = [row for row in TABLE if any(f"{name}/<" in row for name in ids) and "break-glass" not in row]
    clients = {user.name: api(user) for user in (bob, charlie, dora, sam)}

    codes = {
        (row, name): getattr(client, row.split()[0].lower())(address(row.split()[1], ids), {}).status_code
        for row in rows
        for name, client in clients.items()
    }

    assert len(rows) > 20
    assert not {asked: code for asked, code in codes.items() if code not in (403, 404)}
    assert not {asked: code for asked, code in codes.items() if code == 403 and asked[1] == "Sam" and "GET" in asked[0]}
    Patient.objects.get(user=dora).delete()
    lists = ["patients", "diagnoses", "feedback", "severe-side-effects"]
    assert [clients["Sam"].get(f"/api/{name}/").json()["results"] for name in lists] == [[], [], [], []]


def test_the_pages_of_the_admin_go_on(client: Any, sam: User, patient: Patient, record: Any) -> None:
    erase_person(actor=None, patient=patient)
    client.force_login(sam)
    for name in ("diagnoses/patient", "diagnoses/diagnosis", "feedback/feedback", "feedback/severeflag",
                 "realtime/diagnosisevent", "accounts/user", "predictions/predictionrecord"):  # fmt: skip
        assert client.get(f"/admin/{name}/").status_code == 200, name


def test_the_stream_of_the_record_is_gone(patient: Patient, diagnosis: Diagnosis, record: Any) -> None:
    assert DiagnosisEvent.objects.filter(diagnosis=diagnosis).exists()
    erase_person(actor=None, patient=patient)

    assert not DiagnosisEvent.objects.filter(diagnosis=diagnosis).exists()


def test_who_was_erased_after_a_backup_is_erased_again_after_its_restore(patient: Patient, record: Any) -> None:
    key = PatientKey.objects.get(patient=patient)  # as the keyring of a later backup says
    key.secret = None
    key.save()
    data_keys.forget()

    assert erase_again() == 1
    assert erase_again() == 0
    assert not [word for word in PLANTED if word in dump()]


@pytest.mark.django_db(transaction=True)
def test_who_reports_meanwhile_is_erased_with_the_rest_or_comes_too_late(
    api: Any, alice: User, patient: Patient, record: Any
) -> None:
    client, codes, first = api(alice), [], threading.Event()
    client.raise_request_exception = True
    report = {"recommendation": str(record.pk), "rating": 5, "symptom_improvement": 5, "comment": "planted-comment"}

    def report_on() -> None:
        try:
            while not codes or codes[-1] == 201:
                codes.append(client.post("/api/feedback/", report | {"client_id": str(uuid4())}).status_code)
                first.set()
        finally:
            connection.close()

    thread = threading.Thread(target=report_on)
    thread.start()
    first.wait()
    try:
        erase_person(actor=None, patient=patient)
    finally:
        thread.join()
    data_keys.forget()

    assert codes[-1] in (400, 401, 409)
    assert Feedback.objects.count() == codes.count(201) + 1
    assert {feedback.comment for feedback in Feedback.objects.all()} == {"[erased]"}
    assert not DiagnosisEvent.objects.exists()
    said = StringIO()
    call_command("rebuild_analytics", "--check", stdout=said)
    assert "No difference" in said.getvalue()
