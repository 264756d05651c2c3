"""The access matrix, cell by cell: each role at the record of its own, of its care team, of a stranger and of one who
was erased, through the API. What is expected is read from the matrix itself. The admin: test_access_in_the_admin.py;
sockets: tests/realtime/test_access.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import access
from accounts.access import MATRIX, Act, Reach, Resource, closed_fields, reach
from accounts.models import User
from diagnoses.models import Patient
from tests.accounts.test_access_in_the_admin import ADMIN
from tests.accounts.world import PASSWORD, ROLES, World
from tests.avicenna.test_permissions import undone

# What only the admin shows, or only a list.
ELSEWHERE = {"source", "user", "record", "active_diagnoses", "stream", "predictions", "figures", "withdrawn_comment"}
READS: list[tuple[Resource, str | None, str]] = [
    (Resource.PATIENT, "full_name", "/api/patients/{patient}/"),
    (Resource.GLASS, "reason", "/api/patients/{patient}/broken-glass"),
    (Resource.CONTRAINDICATION, None, "/api/patients/{patient}/contraindications/"),
    (Resource.DIAGNOSIS, None, "/api/diagnoses/{diagnosis}/"),
    (Resource.DIAGNOSIS, "stream", "/api/diagnoses/{diagnosis}/snapshot"),
    (Resource.DIAGNOSIS, "stream", "/api/diagnoses/{diagnosis}/events/"),
    (Resource.DIAGNOSIS, "predictions", "/api/predictions/?diagnosis={diagnosis}"),
    (Resource.DIAGNOSIS, "predictions", "/api/predictions/profile/{patient}"),
    (Resource.DIAGNOSIS, "figures", "/api/analytics/diagnoses/{diagnosis}"),
    (Resource.RECOMMENDATION, None, "/api/recommendations/{recommendation}/"),
    (Resource.RECOMMENDATION, None, "/api/diagnoses/{diagnosis}/recommendations/"),
    (Resource.FEEDBACK, None, "/api/feedback/{feedback}/"),
    (Resource.FEEDBACK, None, "/api/feedback/{withdrawn}/"),
    (Resource.FEEDBACK, None, "/api/diagnoses/{diagnosis}/feedback-overview"),
]
LISTS = {
    Resource.PATIENT: ("/api/patients/?page_size=100", "patient"),
    Resource.DIAGNOSIS: ("/api/diagnoses/?page_size=100", "diagnosis"),
    Resource.FEEDBACK: ("/api/feedback/?page_size=100", "feedback"),
    Resource.SEVERE_FLAG: ("/api/severe-side-effects/?page_size=100", "feedback"),
}
CHANGES: dict[Resource, tuple[str, dict[str, Any]]] = {
    Resource.PATIENT: ("/api/patients/{patient}/", {
        "full_name": "New", "birth_date": "1990-01-01", "sex": "male", "mizaj_type": "cold",
        "medical_history": "new", "current_medications": "new",
    }),
    Resource.DIAGNOSIS: ("/api/diagnoses/{diagnosis}/", {
        "severity": 5, "imbalance": "cold", "symptoms": ["new"], "notes": "new", "status": "resolved",
    }),
    Resource.RECOMMENDATION: ("/api/recommendations/{recommendation}/", {
        "dosage": "new", "frequency": "new", "duration_days": 3, "instructions": "new",
    }),
    Resource.FEEDBACK: ("/api/feedback/{feedback}/", {
        "rating": 2, "symptom_improvement": 2, "compliance": 2, "comment": "new", "side_effects": [],
    }),
}  # fmt: skip
# A POST to one record: what it is, where and with what.
POSTS: list[tuple[Act, Resource, str, dict[str, Any]]] = [
    (Act.CHANGE, Resource.RECOMMENDATION, "/api/recommendations/{recommendation}/complete/", {}),
    (Act.CHANGE, Resource.RECOMMENDATION, "/api/recommendations/{recommendation}/stop/", {}),
    (Act.CHANGE, Resource.CONTRAINDICATION, "/api/patients/{patient}/contraindications/{contraindication}/lift/", {}),
    (Act.CHANGE, Resource.SEVERE_FLAG, "/api/severe-side-effects/{flag}/look-at/", {}),
    (Act.CHANGE, Resource.SCORES, "/api/analytics/recalculate", {"recommendations": ["{recommendation}"]}),
    (Act.CREATE, Resource.CONTRAINDICATION, "/api/patients/{patient}/contraindications/",
     {"remedy": "sweet-violet", "cause": "other"}),
    (Act.CREATE, Resource.DIAGNOSIS, "/api/diagnoses/",
     {"patient": "{patient}", "condition": "headache", "severity": 2}),
    (Act.CREATE, Resource.RECOMMENDATION, "/api/diagnoses/{diagnosis}/recommendations/", {"remedy": "sweet-violet"}),
    (Act.CREATE, Resource.FEEDBACK, "/api/feedback/",
     {"recommendation": "{recommendation}", "rating": 4, "symptom_improvement": 4}),
]  # fmt: skip
# What is nobody's record.
GENERAL = [
    (Resource.CATALOGUE, None, "/api/remedies/mint/"),
    (Resource.FIGURES, None, "/api/analytics/remedies/mint?window=30"),
    (Resource.CLINIC, None, "/api/analytics/summary"),
    (Resource.MODEL, None, "/api/predictions/accuracy"),
    (Resource.SERVER, None, "/api/realtime/status"),
]


def read(world: World, client: Any) -> Iterator[str]:
    """Every cell of reading that is not as the matrix says."""
    for record in world.records:
        for resource, field, route in READS:
            answer = client.get(path := record.fill(route))
            if (answer.status_code == 200) != world.opens(Act.READ, resource, record, field):
                yield f"{record.whose} {path}: {answer.status_code}"
            yield from world.shown_too_much(record, path, answer.content.decode())
    for resource, (route, name) in LISTS.items():
        answer = client.get(route)
        found = {row[name if name in row else "id"] for row in answer.json().get("results", [])}
        wanted = {str(one.pk(name)) for one in world.records if world.opens(Act.READ, resource, one)}
        if found != wanted:
            yield f"{route}: {found ^ wanted}"
        yield from _fields(world, resource, answer.json().get("results", []), route)
        own = world.records[0]
        yield from world.shown_too_much(own, route, answer.content.decode())
    for resource, field, route in GENERAL:
        status = client.get(route).status_code
        if (status == 200) != (reach(world.role, Act.READ, resource, field) is not None):
            yield f"{route}: {status}"
    source = client.get("/api/remedies/mint/").json()
    if ("source" in source) != (reach(world.role, Act.READ, Resource.CATALOGUE, "source") is not None):
        yield "source of a remedy"


def _fields(world: World, resource: Resource, rows: list[dict[str, Any]], route: str) -> Iterator[str]:
    known = {field for line in MATRIX if line.resource == resource for field in line.fields}
    closed = closed_fields(world.role, Act.READ, resource)
    for row in rows:
        # `comment` is there for everybody, and empty for whom it is closed to
        shown = {name for name in row if name != "comment"}
        if shown & closed or (known - closed - ELSEWHERE - {"comment"}) - shown or shown - known:
            yield f"{route}: {sorted(shown ^ (known - closed))}"


def written(world: World, client: Any) -> Iterator[str]:
    """Every cell of writing that is not as the matrix says; what it did is taken back."""
    for record in world.records:
        for resource, (route, values) in CHANGES.items():
            for field, value in values.items():
                status = undone(client, "patch", record.fill(route), {field: value}).status_code
                if (status == 200) != world.opens(Act.CHANGE, resource, record, field):
                    yield f"{record.whose} change {resource}.{field}: {status}"
        for act, resource, route, data in POSTS:
            status = undone(client, "post", record.fill(route), record.fill(data)).status_code
            if (status < 300) != world.opens(act, resource, record):
                yield f"{record.whose} {route}: {status}"
        status = undone(client, "delete", record.fill("/api/feedback/{feedback}/")).status_code
        if (status == 204) != world.opens(Act.ERASE, Resource.FEEDBACK, record):
            yield f"{record.whose} withdraw: {status}"
        said = {"password": PASSWORD, "confirmation": "erase"}
        status = undone(client, "post", record.fill("/api/patients/{patient}/erasure"), said).status_code
        least_all = reach(world.role, Act.ERASE, Resource.PATIENT) == Reach.ALL
        if (status == 204) != (least_all and record.whose != "erased"):
            yield f"{record.whose} erasure: {status}"
    for field, value in CHANGES[Resource.PATIENT][1].items():
        status = undone(client, "post", "/api/patients/", {"full_name": "New", field: value}).status_code
        if (status == 201) != (reach(world.role, Act.CREATE, Resource.PATIENT, field) is not None):
            yield f"create patient.{field}: {status}"
    status = undone(client, "post", "/api/me/erasure", said).status_code
    if (status == 204) != (reach(world.role, Act.ERASE, Resource.PATIENT) == Reach.OWN):
        yield f"own erasure: {status}"


@pytest.mark.parametrize("world", ROLES, indirect=True)
def test_the_api_answers_as_the_matrix_says(api: Any, world: World) -> None:
    client = api(world.actor)

    assert list(read(world, client)) == []
    assert list(written(world, client)) == []


def test_every_cell_is_tried() -> None:
    tried = {(Act.READ, resource) for resource, *_ in [*READS, *GENERAL]}
    tried |= {(Act.READ, resource) for resource in LISTS} | {(Act.CHANGE, resource) for resource in CHANGES}
    tried |= {(act, resource) for act, resource, *_ in POSTS}
    tried |= {(act, resource) for resource, _ in ADMIN.values() for act in (Act.READ, Act.CREATE, Act.CHANGE)}
    tried |= {(Act.READ, Resource.CARE_TEAM), (Act.CHANGE, Resource.CARE_TEAM)}  # the patient's page
    tried |= {(Act.ERASE, Resource.PATIENT), (Act.ERASE, Resource.FEEDBACK), (Act.CREATE, Resource.PATIENT)}
    tried |= {(act, Resource.PATIENT_ACCOUNT) for act in (Act.READ, Act.CREATE, Act.CHANGE)}  # in the admin

    cells = {(act, line.resource) for line in MATRIX for right in line.rights.values() for act in right.acts}
    assert cells - tried == set()


def test_what_is_closed_cannot_be_asked_for_either(api: Any, client: Client, rita: User, patient: Patient) -> None:
    def found(query: str) -> int:
        return int(api(rita).get(f"/api/patients/?{query}").json()["count"])

    assert [found(""), found("mizaj_type=warm_dry"), found("condition=headache"), found("mizaj_type=cold")] == [
        1,
        0,
        0,
        0,
    ]
    client.force_login(rita)
    for query in ("mizaj_type__exact=warm_dry", "diagnoses__condition__slug=headache", "mizaj_type__startswith=warm"):
        assert client.get(f"/admin/diagnoses/patient/?{query}").status_code in (302, 400)


def test_the_reception_registers_and_corrects_and_sends_back_what_it_read(api: Any, rita: User) -> None:
    client = api(rita)
    made = client.post("/api/patients/", {"full_name": "Nwe"}).json()
    read = client.get(f"/api/patients/{made['id']}/").json()

    corrected = client.patch(f"/api/patients/{made['id']}/", read | {"full_name": "New"})

    assert (corrected.status_code, corrected.json()["full_name"]) == (200, "New")
    assert "medical_history" not in read and "mizaj_type" not in read


def test_the_head_may_send_back_what_only_practitioners_change(api: Any, sam: User, patient: Patient) -> None:
    client, path = api(sam), f"/api/patients/{patient.pk}/"
    read = client.get(path).json()

    assert client.patch(path, read | {"full_name": "New"}).status_code == 200
    refused = client.patch(path, read | {"medical_history": "new"})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["medical_history"])


def test_the_table_of_the_documentation_is_the_matrix(monkeypatch: Any) -> None:
    call_command("document_access", check=True)

    monkeypatch.setattr(access, "MATRIX", MATRIX[:-1])
    with pytest.raises(CommandError, match="document_access"):
        call_command("document_access", check=True)
