"""The access matrix, cell by cell: each role at the record of its own, of its care team, of a stranger and of one who
was erased, through the API and the admin. What is expected is read from the matrix itself. Sockets: tests/realtime.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import access
from accounts.access import MATRIX, OPENS_ADMIN, Act, Reach, Resource, closed_fields, reach
from accounts.models import Role, User
from diagnoses.actions import contraindicate, create_patient, erase_patient, recommend, record_diagnosis
from diagnoses.models import Contraindication, Diagnosis, Patient, Recommendation
from feedback.actions import submit, withdraw
from feedback.models import Feedback
from tests.avicenna.test_permissions import undone

PASSWORD = "saffron-and-rose"
NEEDED = {"own": Reach.OWN, "care": Reach.CARE, "foreign": Reach.ALL, "erased": None}
# The reception has a cell of every kind; the others' are in test_permissions.py, by route.
ROLES = [pytest.param(role, marks=() if role == Role.RECEPTION else pytest.mark.thorough) for role in Role]

# What is planted in each record, and the field in whose place it must not be read by whom that is closed to.
PLANTED = {
    "planted-name": (Resource.PATIENT, "full_name"),
    "planted-history": (Resource.PATIENT, "medical_history"),
    "planted-medication": (Resource.PATIENT, "current_medications"),
    "planted-note": (Resource.DIAGNOSIS, "notes"),
    "planted-symptom": (Resource.DIAGNOSIS, "symptoms"),
    "planted-dosage": (Resource.RECOMMENDATION, "dosage"),
    "planted-reason": (Resource.CONTRAINDICATION, "reason"),
    "planted-comment": (Resource.FEEDBACK, "comment"),
    "planted-taken-back": (Resource.FEEDBACK, "withdrawn_comment"),
}
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
# The admin's models: their resource, and which of a record's rows is looked at there.
ADMIN: dict[str, tuple[Resource, str | None]] = {
    "diagnoses/patient": (Resource.PATIENT, "patient"),
    "diagnoses/diagnosis": (Resource.DIAGNOSIS, "diagnosis"),
    "feedback/feedback": (Resource.FEEDBACK, "feedback"),
    "feedback/severeflag": (Resource.SEVERE_FLAG, "flag"),
    "realtime/diagnosisevent": (Resource.EVENT, "event"),
    "realtime/receipt": (Resource.EVENT, None),
    "audit/auditrecord": (Resource.TRAIL, None),
    "diagnoses/brokenglass": (Resource.GLASS, None),
    "predictions/predictionmodel": (Resource.MODEL, None),
    "predictions/predictionrecord": (Resource.PREDICTION, None),
    "diagnoses/condition": (Resource.CATALOGUE, None),
    "diagnoses/remedy": (Resource.CATALOGUE, None),
    "diagnoses/sideeffect": (Resource.CATALOGUE, None),
    "accounts/user": (Resource.ACCOUNT, None),
    "accounts/session": (Resource.ACCOUNT, None),
}


@dataclass
class Record:
    whose: str
    patient: Patient
    diagnosis: Diagnosis
    recommendation: Recommendation
    contraindication: Contraindication
    feedback: Feedback
    withdrawn: Feedback

    def fill(self, told: Any) -> Any:
        if isinstance(told, str):
            return re.sub(r"{(\w+)}", lambda found: str(self.pk(found[1])), told)
        if isinstance(told, list):
            return [self.fill(one) for one in told]
        return {key: self.fill(value) for key, value in told.items()} if isinstance(told, dict) else told

    def pk(self, name: str) -> Any:
        if name == "event":
            return self.diagnosis.events.order_by("seq").values_list("pk", flat=True).first() or 0
        return self.feedback.flag.pk if name == "flag" else getattr(self, name).pk


@dataclass
class World:
    role: Role
    actor: User
    records: list[Record]

    def opens(self, act: Act, resource: Resource, record: Record, field: str | None = None) -> bool:
        """What the matrix says."""
        found, needed = reach(self.role, act, resource, field), NEEDED[record.whose]
        return found is not None and needed is not None and found >= needed


def records_around(actor: User, remedy: Any, condition: Any, nausea: Any) -> list[Record]:
    return [_record(whose, actor, remedy, condition, nausea) for whose in NEEDED]


def _record(whose: str, actor: User, remedy: Any, condition: Any, nausea: Any) -> Record:
    patient = create_patient(
        actor=None, user=actor if whose == "own" else None, full_name="planted-name", mizaj_type="warm",
        care_team=[actor] if whose in ("care", "erased") else [], medical_history="planted-history",
        current_medications="planted-medication",
    )  # fmt: skip
    diagnosis = record_diagnosis(
        actor=None, patient=patient, condition=condition, severity=3, notes="planted-note", symptoms=["planted-symptom"]
    )
    recommendation = recommend(actor=None, diagnosis=diagnosis, remedy=remedy, dosage="planted-dosage")
    cause = Contraindication.Cause.OTHER
    said = {"recommendation_id": recommendation.pk, "rating": 4, "symptom_improvement": 4}
    feedback, _ = submit(actor=None, **said, comment="planted-comment", side_effects={nausea: 4})
    withdrawn, _ = submit(actor=None, **said, comment="planted-taken-back")
    withdraw(actor=None, feedback=withdrawn)
    stated = contraindicate(actor=None, patient=patient, remedy=remedy, cause=cause, reason="planted-reason")
    if whose == "erased":
        erase_patient(actor=None, patient_id=patient.pk)
    return Record(whose, patient, diagnosis, recommendation, stated, feedback, withdrawn)


@pytest.fixture
def world(request: Any, mint: Any, violet: Any, headache: Any, nausea: Any) -> World:
    role = request.param
    actor = User.objects.create_user(f"{role}@clinic.example", PASSWORD, role=role, name=str(role))
    return World(role, actor, records_around(actor, mint, headache, nausea))


def read(world: World, client: Any) -> Iterator[str]:
    """Every cell of reading that is not as the matrix says."""
    for record in world.records:
        for resource, field, route in READS:
            answer = client.get(path := record.fill(route))
            if (answer.status_code == 200) != world.opens(Act.READ, resource, record, field):
                yield f"{record.whose} {path}: {answer.status_code}"
            yield from _shown_too_much(world, record, path, answer.content.decode())
    for resource, (route, name) in LISTS.items():
        answer = client.get(route)
        found = {row[name if name in row else "id"] for row in answer.json().get("results", [])}
        wanted = {str(one.pk(name)) for one in world.records if world.opens(Act.READ, resource, one)}
        if found != wanted:
            yield f"{route}: {found ^ wanted}"
        yield from _fields(world, resource, answer.json().get("results", []), route)
        own = world.records[0]
        yield from _shown_too_much(world, own, route, answer.content.decode())
    for resource, field, route in GENERAL:
        status = client.get(route).status_code
        if (status == 200) != (reach(world.role, Act.READ, resource, field) is not None):
            yield f"{route}: {status}"
    source = client.get("/api/remedies/mint/").json()
    if ("source" in source) != (reach(world.role, Act.READ, Resource.CATALOGUE, "source") is not None):
        yield "source of a remedy"


def _shown_too_much(world: World, record: Record, path: str, text: str) -> Iterator[str]:
    for planted, (resource, field) in PLANTED.items():
        if planted in text and not world.opens(Act.READ, resource, record, field):
            yield f"{record.whose} {path} shows {field}"


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


def administered(world: World, client: Client) -> Iterator[str]:
    """Every cell of the admin that is not as the matrix says."""
    enters = world.role in OPENS_ADMIN
    for path, (resource, name) in ADMIN.items():
        may = {act: enters and reach(world.role, act, resource) is not None for act in Act}
        pages = client.get(f"/admin/{path}/"), client.get(f"/admin/{path}/add/")
        if (pages[0].status_code == 200) != may[Act.READ]:
            yield f"{path}: {pages[0].status_code}"
        if pages[1].status_code == 200 and not may[Act.CREATE]:
            yield f"{path}/add: {pages[1].status_code}"
        for record in world.records if name else ():
            page = client.get(f"/admin/{path}/{record.pk(name)}/change/")
            if (page.status_code == 200) != (enters and world.opens(Act.READ, resource, record)):
                yield f"{record.whose} {path}: {page.status_code}"
            yield from _shown_too_much(world, record, path, page.content.decode())
            yield from _form(world, resource, path, page)


def _form(world: World, resource: Resource, path: str, page: Any) -> Iterator[str]:
    if page.status_code != 200:
        return
    shown = {name for fieldset in page.context["adminform"] for line in fieldset for name in line.fields}
    if too_much := shown & closed_fields(world.role, Act.READ, resource):
        yield f"{path} shows {too_much}"
    changed = resource if resource != Resource.PATIENT else Resource.CARE_TEAM  # what changes on a patient's page
    changes = reach(world.role, Act.CHANGE, changed) is not None and path not in READ_ONLY
    if page.context["has_change_permission"] != changes:
        yield f"{path}: may change is {not changes}"


# The API's to change.
READ_ONLY = {"diagnoses/diagnosis", "feedback/feedback", "feedback/severeflag"}


@pytest.mark.parametrize("world", ROLES, indirect=True)
def test_the_admin_shows_what_the_matrix_says(client: Client, world: World) -> None:
    client.force_login(world.actor)

    assert list(administered(world, client)) == []


def test_every_model_of_the_admin_is_tried() -> None:
    from django.contrib import admin

    assert {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry} == set(ADMIN)


def test_every_cell_is_tried() -> None:
    tried = {(Act.READ, resource) for resource, *_ in [*READS, *GENERAL]}
    tried |= {(Act.READ, resource) for resource in LISTS} | {(Act.CHANGE, resource) for resource in CHANGES}
    tried |= {(act, resource) for act, resource, *_ in POSTS}
    tried |= {(act, resource) for resource, _ in ADMIN.values() for act in (Act.READ, Act.CREATE, Act.CHANGE)}
    tried |= {(Act.READ, Resource.CARE_TEAM), (Act.CHANGE, Resource.CARE_TEAM)}  # the patient's page
    tried |= {(Act.ERASE, Resource.PATIENT), (Act.ERASE, Resource.FEEDBACK), (Act.CREATE, Resource.PATIENT)}
    tried |= {(act, Resource.PATIENT_ACCOUNT) for act in (Act.READ, Act.CREATE, Act.CHANGE)}  # the test below

    cells = {(act, line.resource) for line in MATRIX for right in line.rights.values() for act in right.acts}
    assert cells - tried == set()


@pytest.mark.parametrize("name", ["rita", "oscar", "sam"])
def test_whose_account_a_patients_is_stays_with_the_head(
    request: Any, client: Client, alice: User, bob: User, patient: Patient, name: str
) -> None:
    actor = request.getfixturevalue(name)
    client.force_login(actor)

    pages = [client.get(f"/admin/accounts/user/{user.pk}/change/").status_code == 200 for user in (alice, bob)]
    expected = [reach(actor.role, Act.READ, one) for one in (Resource.PATIENT_ACCOUNT, Resource.ACCOUNT)]
    assert pages == [one is not None for one in expected]
    listed = client.get("/admin/accounts/user/").content.decode()
    assert ("alice@clinic" in listed) == pages[0]


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


def test_the_first_page_of_the_admin_has_figures_for_the_head_alone(
    client: Client, sam: User, rita: User, oscar: User
) -> None:
    def shown(user: User) -> bool:
        client.force_login(user)
        return "glance-title" in client.get("/admin/").content.decode()

    assert [shown(user) for user in (sam, rita, oscar)] == [True, False, False]


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
