"""Every route of the API that answers or changes a patient's data leaves exactly these records, and no other does."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import AuditRecord
from diagnoses.models import Patient
from tests.avicenna.test_permissions import ROLES, TABLE, address, body, clinic

__all__ = ["clinic"]

# Whose answer is looked at: the practitioner's where it may, else the patient's or staff's.
ASKED_BY = ["bob", "alice", "sam", "charlie"]

#       what is written about Alice, as action and kind; a route that is not here tells nothing
TOLD: dict[str, list[str]] = {
    "POST /api/patients/": ["created patient"],
    "GET /api/patients/": ["listed patient"],
    "GET /api/patients/<pk>/": ["read patient"],
    "GET /api/me/export": ["exported patient"],
    "PATCH /api/patients/<pk>/": ["changed patient"],
    "GET /api/patients/<patient_id>/broken-glass": ["listed emergency_access"],
    "POST /api/patients/<patient_id>/break-glass": ["broke_glass patient"],
    "GET /api/patients/<patient_id>/contraindications/": ["listed contraindication"],
    "POST /api/patients/<patient_id>/contraindications/": ["created contraindication"],
    "POST /api/patients/<patient_id>/contraindications/<pk>/lift/": ["changed contraindication"],
    "GET /api/diagnoses/": ["listed diagnosis"],
    "POST /api/diagnoses/": ["created diagnosis"],
    "GET /api/diagnoses/<pk>/": ["read diagnosis"],
    "PATCH /api/diagnoses/<pk>/": ["changed diagnosis"],
    "GET /api/diagnoses/<diagnosis_id>/recommendations/": ["listed recommendation"],
    "POST /api/diagnoses/<diagnosis_id>/recommendations/": ["created recommendation"],
    "GET /api/diagnoses/<diagnosis_id>/events/": ["replayed events"],
    "GET /api/diagnoses/<diagnosis_id>/snapshot": ["read diagnosis"],
    "GET /api/recommendations/<pk>/": ["read recommendation"],
    "PATCH /api/recommendations/<pk>/": ["changed recommendation"],
    "POST /api/recommendations/<pk>/complete/": ["changed recommendation"],
    "POST /api/recommendations/<pk>/stop/": ["changed recommendation"],
    "POST /api/recommendations/<pk>/replace/": ["changed recommendation", "created recommendation"],
    "GET /api/feedback/": ["listed feedback"],
    "POST /api/feedback/": ["created feedback"],
    "GET /api/feedback/<pk>/": ["read feedback"],
    "PATCH /api/feedback/<pk>/": ["changed feedback"],
    "DELETE /api/feedback/<pk>/": ["changed feedback"],
    "GET /api/feedback/due": ["listed recommendation"],
    "POST /api/feedback/batch/": ["created feedback"],
    "GET /api/severe-side-effects/": ["listed severe_flag"],
    "POST /api/severe-side-effects/<pk>/look-at/": ["changed severe_flag"],
    "GET /api/recommendations/<recommendation_id>/feedback-summary": ["read feedback"],
    "GET /api/diagnoses/<diagnosis_id>/feedback-overview": ["read feedback"],
    "GET /api/diagnoses/<diagnosis_id>/feedback-course": ["read feedback"],
    "GET /api/analytics/overall": ["listed statistics"],
    "GET /api/analytics/recommendations/<pk>": ["read statistics"],
    "GET /api/analytics/diagnoses/<pk>": ["read statistics"],
    "POST /api/analytics/recalculate": ["listed statistics"],
    "GET /api/predictions/": ["read prediction"],
    "GET /api/predictions/optimize": ["read prediction"],
    "POST /api/predictions/batch": ["read prediction"],
    "GET /api/predictions/profile/<patient_id>": ["read prediction"],
    "GET /api/predictions/history": ["read prediction"],
}
# About nobody's record.
SIGNING = {
    "POST /api/auth/token": ["signed_in session"],
    "POST /api/auth/logout": ["signed_out session"],
    "DELETE /api/me/sessions/<pk>": ["signed_out session"],
    "POST /api/auth/register": ["created patient"],
}
# Whose sessions are gone afterwards, and one who asked by a password.
ENDING = {key: ["changed patient"] for key in ["POST /api/me/erasure", "POST /api/patients/<patient_id>/erasure"]}
OWN = {"GET /api/feedback/due", "GET /api/analytics/overall", "GET /api/me/export"}  # of whoever asks

# A change that changes something, and a day on which something is due.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/patients/<pk>/": {"sex": "male"},
    "PATCH /api/diagnoses/<pk>/": {"severity": 5},
    "PATCH /api/recommendations/<pk>/": {"dosage": "5 g"},
    "PATCH /api/feedback/<pk>/": {"rating": 2},
    "GET /api/feedback/due": {"since": "2099-01-01T00:00:00Z"},
}


def told(since: set[Any]) -> list[AuditRecord]:
    """A process that held sockets for the tests before may still write what they were handed."""
    return [one for one in AuditRecord.objects.exclude(action="delivered").order_by("id") if one.pk not in since]


def ask(api: Any, clinic: Any, row: str, role: str) -> tuple[Any, list[AuditRecord]]:
    method, route = row.split()
    data = BODIES.get(row) or body(row, clinic)
    client = api(clinic["cast"][role])
    before = set(AuditRecord.objects.values_list("pk", flat=True))
    answer = getattr(client, method.lower())(address(route, clinic), data)
    return answer, told(before)


def asking(row: str) -> str:
    if row in OWN:
        return "alice"
    return next((role for role in ASKED_BY if TABLE[row][ROLES.index(role)] < 300), "sam")


@pytest.mark.parametrize("row", TABLE)
def test_each_route_tells_what_it_shows_and_changes(api: Any, clinic: Any, row: str) -> None:
    role = asking(row)

    answer, records = ask(api, clinic, row, role)

    assert [f"{record.action} {record.kind}" for record in records] == (TOLD | SIGNING | ENDING).get(row, [])
    if row in TOLD:
        assert answer.status_code < 300
        whose = Patient.objects.latest("id").pk if row == "POST /api/patients/" else clinic["patients"]
        assert {record.patient for record in records} == {whose}
        [one] = {(record.actor_id, record.actor_role, record.network) for record in records}
        actor = clinic["cast"][role]
        assert one == (actor.pk, actor.role, "127.0.0.0/24")
        assert all(record.session == str(actor.sessions.latest("created_at").pk) for record in records)
        assert all(record.request_id == answer["X-Request-ID"] for record in records)


@pytest.mark.parametrize("row", [row for row in TOLD if row not in OWN and "<" in row and "break-glass" not in row])
def test_who_is_refused_has_seen_nothing(api: Any, clinic: Any, row: str) -> None:
    for role in ("nobody", "charlie", "dora"):
        answer, records = ask(api, clinic, row, role)
        assert (answer.status_code >= 400, records) == (True, [])
