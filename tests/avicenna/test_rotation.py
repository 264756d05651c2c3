"""Keys of patients, and changing the keys that seal them, while the clinic works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from avicenna import resealing
from avicenna.data_keys import data_keys
from avicenna.encryption import Sealed
from avicenna.identifiers import new_id
from diagnoses.actions import change_diagnosis, contraindicate, create_patient, recommend, record_diagnosis
from diagnoses.models import Contraindication, Diagnosis, Patient, PatientKey
from feedback.actions import submit
from feedback.models import Feedback
from realtime.models import DiagnosisEvent

OLD = "old:" + "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZCE="
NEW = "new:" + "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE="


def rotate(*arguments: str) -> str:
    said = StringIO()
    call_command("rotate_encryption_keys", *arguments, stdout=said)
    return said.getvalue()


def stored() -> dict[str, list[Sealed]]:
    """Every sealed value, by its column."""
    return {
        str(column): [
            value for value in column.model._base_manager.values_list(column.field.name, flat=True) if value is not None
        ]
        for column in resealing.columns()
    }


@pytest.fixture
def clinic(db: None, alice: Any, bob: Any, headache: Any, mint: Any, violet: Any) -> Callable[..., Diagnosis]:
    """One of everything that is sealed of a patient."""

    def make(patient: Patient) -> Diagnosis:
        diagnosis = record_diagnosis(
            actor=None, patient=patient, condition=headache, severity=3, notes="noted", symptoms=["ache"]
        )
        recommendation = recommend(actor=None, diagnosis=diagnosis, remedy=mint)
        submit(actor=None, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4, comment="a secret")
        contraindicate(actor=None, patient=patient, remedy=violet, cause=Contraindication.Cause.ALLERGY, reason="rash")
        return diagnosis

    return make


def from_before() -> Patient:
    """When patients had no keys."""
    patient = Patient(full_name="Alice Owner", medical_history="ill")
    patient.save(force_insert=True)
    return patient


@pytest.fixture
def keyless(db: None) -> Patient:
    return from_before()


def everything_can_be_read(diagnosis: Diagnosis) -> bool:
    data_keys.forget()
    patient = Patient.objects.get(pk=diagnosis.patient_id)
    diagnosis = Diagnosis.objects.get(pk=diagnosis.pk)
    comment, reason = Feedback.objects.get().comment, Contraindication.objects.get().reason
    events = [event.payload for event in DiagnosisEvent.objects.all()]
    return (patient.full_name, patient.medical_history, diagnosis.notes, diagnosis.symptoms, comment, reason) == (
        "Alice Owner", "ill", "noted", ["ache"], "a secret", "rash",
    ) and all(events)  # fmt: skip


def test_what_is_known_of_a_patient_is_under_the_patients_key(clinic: Any) -> None:
    patient = create_patient(actor=None, full_name="Alice Owner", medical_history="ill")
    diagnosis = clinic(patient)

    values = stored()
    of_keys = values.pop("diagnoses.patientkey.secret")
    personal = [value for column in values.values() for value in column]

    assert {value.data_key_id for value in personal} == {patient.key_id}
    assert sum(map(bool, values.values())) == 8  # all but the addresses of devices
    assert not any(value.is_personal for value in of_keys)
    assert everything_can_be_read(diagnosis)
    assert "Nothing is left." in rotate("--check")


def test_only_what_is_of_no_patient_is_under_the_clinics_key() -> None:
    """Whoever adds a sealed field to what is known of a patient says so by `encryption_key`."""
    assert [str(column) for column in resealing.columns() if not column.way] == [
        "accounts.pushsubscription.subscription",
        "accounts.secondfactor.secret",
        "diagnoses.patientkey.secret",
    ]


def test_a_patient_from_before_gets_a_key_and_everything_comes_under_it(clinic: Any, keyless: Patient) -> None:
    diagnosis = clinic(keyless)
    assert not any(value.is_personal for column in stored().values() for value in column)
    with pytest.raises(CommandError, match="Something is left"):
        rotate("--check")

    said = rotate()

    assert "1 patients have a key of their own now" in said
    assert "Nothing is left." in rotate("--check")
    assert everything_can_be_read(diagnosis)


def test_a_new_key_seals_the_patients_keys_anew_and_nothing_else(clinic: Any, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    diagnosis = clinic(create_patient(actor=None, full_name="Alice Owner", medical_history="ill"))
    before = stored()
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    assert "diagnoses.patientkey.secret: 1 sealed anew" in rotate()

    after = stored()
    assert [name for name in before if before[name] != after[name]] == ["diagnoses.patientkey.secret"]
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert everything_can_be_read(diagnosis)


def test_who_was_killed_goes_on(clinic: Any, keyless: Patient, monkeypatch: Any) -> None:
    diagnosis = clinic(keyless)
    monkeypatch.setattr(resealing, "BATCH", 2)
    written = resealing._write
    left = [5]

    def dies(*arguments: Any) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        written(*arguments)

    monkeypatch.setattr(resealing, "_write", dies)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    assert everything_can_be_read(diagnosis)

    rotate()

    assert "Nothing is left." in rotate("--check")
    assert everything_can_be_read(diagnosis)


def test_a_value_that_cannot_be_opened_is_named_and_stays(clinic: Any, keyless: Patient) -> None:
    clinic(keyless)
    stolen = Contraindication.objects.values_list("reason", flat=True).get()
    Feedback.objects.update(comment=stolen)

    with pytest.raises(CommandError, match="1 values could not be opened"):
        rotate()
    assert Feedback.objects.values_list("comment", flat=True).get() == stolen
    assert Diagnosis.objects.get().notes == "noted"


def test_an_id_that_was_rolled_back_gets_another_key(clinic: Any) -> None:
    """A client that sends again gives the same id; the key of the first try was never stored."""
    pk = new_id()
    with pytest.raises(KeyError), transaction.atomic():
        create_patient(actor=None, id=pk, full_name="Alice Owner")
        raise KeyError
    patient = create_patient(actor=None, id=pk, full_name="Alice Owner", medical_history="ill")

    assert everything_can_be_read(clinic(patient))
    assert PatientKey.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_report_costs_no_query_more_when_no_key_is_known(
    api: Any, alice: Any, report: Any, django_assert_num_queries: Any
) -> None:
    client = api(alice)
    messages = 6 if connection.vendor == "postgresql" else 13
    for _ in range(2):
        data_keys.forget()
        with django_assert_num_queries(messages):
            assert client.post("/api/feedback/", report | {"client_id": str(uuid4())}).status_code == 201


def test_a_list_of_many_patients_fetches_their_keys_at_once(api: Any, bob: Any, headache: Any) -> None:
    client, asked = api(bob), []
    for count in (2, 20):
        for n in range(count):
            patient = create_patient(actor=bob, full_name=f"Patient {n}")
            record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2, notes="noted")
        data_keys.forget()
        with CaptureQueriesContext(connection) as queries:
            names = [one["full_name"] for one in client.get("/api/patients/").json()["results"]]
        asked.append(len(queries))
        assert len(names) >= count
        assert all(name.startswith("Patient") for name in names)

    assert asked[0] == asked[1]


@pytest.mark.django_db(transaction=True)
def test_the_clinic_reads_and_writes_while_keys_change(clinic: Any, settings: Any, monkeypatch: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    diagnosis = clinic(from_before())
    others = [create_patient(actor=None, full_name=f"Patient {n}") for n in range(20)]
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    monkeypatch.setattr(resealing, "BATCH", 3)
    stop, failures, newest = threading.Event(), [], [0]

    def works(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                while not stop.is_set():
                    work()
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def write() -> None:
        newest[0] += 1
        change_diagnosis(actor=None, diagnosis=diagnosis, changes={"notes": f"noted {newest[0]}"})

    def read() -> None:
        data_keys.forget()
        assert {patient.full_name for patient in Patient.objects.all()} >= {"Alice Owner", "Patient 7"}
        assert Diagnosis.objects.get().notes.startswith("noted")
        assert all(event.payload for event in DiagnosisEvent.objects.all())

    threads = [works(write), works(read)]
    try:
        rotate()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    rotate()

    assert not failures
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    data_keys.forget()
    assert Diagnosis.objects.get().notes == f"noted {newest[0]}"
    assert len({patient.full_name for patient in Patient.objects.all()}) == 1 + len(others)
