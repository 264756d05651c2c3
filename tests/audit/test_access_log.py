from __future__ import annotations

from typing import Any

import pytest

from audit.models import AuditRecord
from audit.trail import entry, keep

LOG = "/api/me/access-log"


@pytest.fixture
def looked_at(unguarded: None, api: Any, bob: Any, sam: Any, alice: Any, patient: Any, recommendation: Any) -> None:
    api(bob).get(f"/api/patients/{patient.pk}/")
    api(sam).get("/api/patients/")
    api(alice).get(f"/api/diagnoses/{recommendation.diagnosis_id}/")
    AuditRecord.objects.filter(action__in=["created", "changed"]).delete()


def test_a_patient_sees_who_looked_practitioners_by_name_and_staff_by_role(
    api: Any, alice: Any, looked_at: None
) -> None:
    found = api(alice).get(LOG).json()

    assert [(row["who"], row["action"], row["kind"], row["purpose"]) for row in found["results"]] == [
        ({"name": "", "role": "head", "is_me": False}, "listed", "patient", "administration"),
        ({"name": "Dr Bob", "role": "practitioner", "is_me": False}, "read", "patient", "treatment"),
    ]
    assert "Sam" not in str(found) and "127.0.0" not in str(found)


def test_what_one_did_oneself_is_shown_when_asked_for(api: Any, alice: Any, looked_at: None) -> None:
    found = api(alice).get(f"{LOG}?own=true").json()["results"]

    assert [row["who"]["is_me"] for row in found] == [True, False, False]


def test_what_the_operator_did_is_told(api: Any, alice: Any, patient: Any) -> None:
    assert [row["who"] for row in api(alice).get(LOG).json()["results"]] == [
        {"name": "", "role": "", "is_me": False}  # made at the command line
    ]


def test_nobody_sees_anothers(api: Any, looked_at: None, bob: Any, charlie: Any, dora: Any, sam: Any) -> None:
    AuditRecord.objects.filter(patient=dora.patient.pk).delete()

    for user in (bob, charlie, dora, sam):
        for own in ("", "?own=true"):
            assert api(user).get(f"{LOG}{own}").json()["results"] == []


def test_pages_show_each_entry_once(unguarded: None, api: Any, alice: Any, bob: Any, patient: Any) -> None:
    AuditRecord.objects.all().delete()
    keep([entry(bob, "read", "diagnosis", patient=patient.pk, object_id=n) for n in range(5)])
    client = api(alice)

    pages = [client.get(f"{LOG}?page_size=2&page={page}").json() for page in (1, 2, 3)]

    ids = [row["id"] for page in pages for row in page["results"]]
    assert ids == [str(pk) for pk in AuditRecord.objects.order_by("-id").values_list("pk", flat=True)]
    assert {page["count"] for page in pages} == {5}


def test_to_look_at_the_log_is_not_an_access(api: Any, alice: Any, looked_at: None) -> None:
    client = api(alice)
    before = AuditRecord.objects.count()

    client.get(LOG)

    assert AuditRecord.objects.count() == before
