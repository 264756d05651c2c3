from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import ForeignKey
from django.test.utils import CaptureQueriesContext

from audit.models import AuditRecord
from audit.subjects import SUBJECTS
from audit.trail import entry, keep
from diagnoses.glass import break_glass
from diagnoses.models import BrokenGlass, Contraindication, Diagnosis, Patient, Recommendation
from feedback.actions import submit
from feedback.models import Feedback, SevereFlag
from predictions.models import PredictionRecord
from realtime.models import DiagnosisEvent, Receipt
from tests.predictions.showing import show


@pytest.fixture
def page(client: Any, sam: Any) -> Any:
    client.force_login(sam)
    client.get("/admin/")  # tells the sign-in
    return lambda path: client.get(f"/admin/{path}")


@pytest.fixture
def clinic(alice: Any, charlie: Any, recommendation: Any, nausea: Any) -> None:
    submit(actor=alice, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1, side_effects={nausea: 5})
    show(recommendation, 0.5)
    break_glass(actor=charlie, patient_id=recommendation.diagnosis.patient_id, reason="she fainted here")
    session = alice.sessions.create()
    Receipt.objects.create(session=session, diagnosis=recommendation.diagnosis, seen_seq=1, seen_at=session.created_at)


SHOWN = [Patient, BrokenGlass, Diagnosis, Feedback, SevereFlag, PredictionRecord, DiagnosisEvent, Receipt]


def told() -> list[tuple[str, str]]:
    return list(
        AuditRecord.objects.filter(actor_role="head")
        .exclude(kind="session")
        .order_by("id")
        .values_list("action", "kind")
    )


@pytest.mark.parametrize("model", SHOWN)
def test_a_page_of_the_admin_tells_whom_it_shows(page: Any, sam: Any, clinic: None, model: Any, patient: Any) -> None:
    kind, address = str(SUBJECTS[model._meta.label_lower][0]), model._meta.label_lower.replace(".", "/")

    assert page(f"{address}/").status_code == 200
    assert told() == [("listed", kind)]
    assert page(f"{address}/{model.objects.first().pk}/change/").status_code == 200
    assert told() == [("listed", kind), ("read", kind)]

    record = AuditRecord.objects.latest("id")
    assert (record.actor, record.patient, record.purpose) == (sam, patient.pk, "administration")
    assert record.session.startswith("admin:") and len(record.session) == 30


def test_every_model_in_the_admin_that_names_a_patient_is_known() -> None:
    """A row leads to a patient by its own reference, or by one to a row that does."""
    leading = {Patient}
    for _ in range(3):
        leading |= {
            model for model in apps.get_models()
            if any(isinstance(field, ForeignKey) and field.related_model in leading for field in model._meta.fields)
        }  # fmt: skip
    registered = {model for model in leading if model in admin.site._registry}

    assert registered == set(SHOWN)
    assert {model._meta.label_lower for model in registered | {Recommendation, Contraindication}} == set(SUBJECTS)


def test_the_trail_is_read_and_nothing_else(page: Any, client: Any, patient: Any) -> None:
    record = AuditRecord.objects.exclude(kind="session").get()
    address = f"audit/auditrecord/{record.pk}"

    assert page(f"{address}/change/").status_code == 200
    assert str(patient.pk) in page("audit/auditrecord/").content.decode()
    for path in ("audit/auditrecord/add/", f"{address}/delete/"):
        assert client.post(f"/admin/{path}").status_code == 403
    assert client.post(f"/admin/{address}/change/", {"reason": "x"}).status_code == 403
    assert AuditRecord.objects.exclude(kind="session").get() == record


def test_it_is_found_by_patient_and_by_user(unguarded: None, page: Any, bob: Any, patient: Any) -> None:
    AuditRecord.objects.all().delete()
    keep([entry(bob, "read", "patient", patient=patient.pk), entry(None, "read", "patient", patient=uuid4())])

    def found(term: object) -> int:
        return int(page(f"audit/auditrecord/?q={term}").context_data["cl"].result_count)

    assert [found(term) for term in (patient.pk, bob.pk, uuid4(), "Bob", "9" * 40, "")] == [1, 1, 0, 0, 0, 2]


def test_no_page_of_it_counts_or_reads_everything(page: Any, bob: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("avicenna.pagination.COUNTED", 60)
    keep([entry(bob, "read", "patient", patient=uuid4()) for _ in range(200)])
    page("audit/auditrecord/")

    with CaptureQueriesContext(connection) as asked:
        answer = page("audit/auditrecord/?action__exact=read&p=2")

    assert answer.context_data["cl"].result_count == 60
    of_trail = [query["sql"] for query in asked if "audit_auditrecord" in query["sql"]]
    assert of_trail and all("LIMIT" in sql for sql in of_trail)
