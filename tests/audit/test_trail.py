from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from audit.models import AuditRecord
from diagnoses.actions import change_diagnosis, change_patient, set_care_team


def newest() -> AuditRecord:
    return AuditRecord.objects.order_by("-id")[0]


def test_a_change_says_old_and_new(api: Any, bob: Any, diagnosis: Any) -> None:
    api(bob).patch(f"/api/diagnoses/{diagnosis.pk}/", {"severity": 5, "imbalance": "cold"})

    assert newest().changes == {"severity": [3, 5], "imbalance": ["warm", "cold"]}
    assert (newest().actor_name, newest().purpose) == ("Dr Bob", "treatment")


def test_what_is_sealed_stays_out_of_the_trail(bob: Any, patient: Any, diagnosis: Any) -> None:
    change_patient(
        actor=bob,
        patient=patient,
        changes={"full_name": "a secret name", "medical_history": "a secret", "birth_date": "1990-01-01"},
    )
    change_diagnosis(actor=bob, diagnosis=diagnosis, changes={"notes": "a secret note", "symptoms": ["a secret"]})

    told = list(AuditRecord.objects.values("changes", "actor_name", "reason"))
    assert "secret" not in str(told) and "1990" not in str(told)
    assert newest().changes == {"notes": None, "symptoms": None}


def test_no_name_of_a_patient_is_in_the_trail(api: Any, alice: Any, report: Any) -> None:
    api(alice).post("/api/feedback/", report)

    assert (newest().actor_id, newest().actor_name, newest().purpose) == (alice.pk, "", "own")
    assert "alice" not in str(list(AuditRecord.objects.values())).lower()


def test_the_care_team_is_told_by_number(sam: Any, bob: Any, charlie: Any, patient: Any) -> None:
    set_care_team(actor=sam, patient=patient, practitioners=[charlie])

    assert newest().changes == {"care_team": [[str(bob.pk)], [str(charlie.pk)]]}


def test_reading_again_is_told_once_in_a_while(api: Any, bob: Any, patient: Any) -> None:
    client = api(bob)
    reads = AuditRecord.objects.filter(action="read")

    for _ in range(3):
        client.get(f"/api/patients/{patient.pk}/")
    assert reads.count() == 1

    api(bob).get(f"/api/patients/{patient.pk}/")  # another session
    cache.clear()  # a while later
    client.get(f"/api/patients/{patient.pk}/")
    assert reads.count() == 3


def test_without_the_cache_it_is_told_each_time(api: Any, bob: Any, patient: Any, redis_is_away: Any) -> None:
    redis_is_away()
    client = api(bob)

    assert [client.get(f"/api/patients/{patient.pk}/").status_code for _ in range(2)] == [200, 200]

    assert AuditRecord.objects.filter(action="read").count() == 2


def test_a_record_outlives_who_it_names(api: Any, dora: Any) -> None:
    api(dora).get(f"/api/patients/{dora.patient.pk}/")
    record, patient = newest(), dora.patient.pk

    dora.patient.delete(), dora.delete()

    record.refresh_from_db()
    assert (record.patient, record.actor_name) == (patient, "")


@pytest.mark.django_db(transaction=True)
def test_a_change_that_cannot_be_told_is_not_made(api: Any, bob: Any, diagnosis: Any) -> None:
    client = api(bob)
    client.raise_request_exception = False

    with broken_trail():
        answer = client.patch(f"/api/diagnoses/{diagnosis.pk}/", {"severity": 5})

    diagnosis.refresh_from_db()
    assert (answer.status_code >= 500, diagnosis.severity, diagnosis.head) == (True, 3, 1)


@pytest.mark.django_db(transaction=True)
def test_an_answer_whose_record_cannot_be_written_is_given_and_logged(
    api: Any, bob: Any, patient: Any, caplog: Any
) -> None:
    client = api(bob)

    with broken_trail():
        answer = client.get(f"/api/patients/{patient.pk}/")

    assert answer.status_code == 200
    [line] = [line for line in caplog.records if line.name == "avicenna.audit"]
    assert (line.action, line.patient, line.actor_id) == ("read", str(patient.pk), str(bob.pk))
    client.get(f"/api/patients/{patient.pk}/")
    assert AuditRecord.objects.filter(action="read").count() == 1  # what was not told is told the next time


class broken_trail:
    """The table is away."""

    def __enter__(self) -> None:
        self._rename("audit_auditrecord", "away")

    def __exit__(self, *_: object) -> None:
        self._rename("away", "audit_auditrecord")

    def _rename(self, old: str, new: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.mark.parametrize("ending", ["stop", "replace"])
def test_that_a_reason_was_given_is_told_and_not_its_words(
    api: Any, bob: Any, recommendation: Any, violet: Any, ending: str
) -> None:
    body = {"reason": "a secret rash", "remedy": "sweet-violet"}
    assert api(bob).post(f"/api/recommendations/{recommendation.pk}/{ending}/", body).status_code < 300

    told = AuditRecord.objects.get(object_id=recommendation.pk, action="changed")
    assert told.changes == {"status": ["active", "stopped" if ending == "stop" else "replaced"], "reason": None}
    assert "secret" not in str(list(AuditRecord.objects.values()))


def test_without_a_reason_none_is_told(api: Any, bob: Any, recommendation: Any) -> None:
    api(bob).post(f"/api/recommendations/{recommendation.pk}/stop/")

    assert newest().changes == {"status": ["active", "stopped"]}
