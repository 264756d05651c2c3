"""The access matrix in the admin, cell by cell, as in test_access.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.access import OPENS_ADMIN, Act, Resource, closed_fields, reach
from accounts.models import User
from diagnoses.models import Patient
from tests.accounts.world import ROLES, World

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
# The API's to change.
READ_ONLY = {"diagnoses/diagnosis", "feedback/feedback", "feedback/severeflag"}


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
            yield from world.shown_too_much(record, path, page.content.decode())
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


@pytest.mark.parametrize("world", ROLES, indirect=True)
def test_the_admin_shows_what_the_matrix_says(client: Client, world: World) -> None:
    client.force_login(world.actor)

    assert list(administered(world, client)) == []


def test_every_model_of_the_admin_is_tried() -> None:
    from django.contrib import admin

    assert {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry} == set(ADMIN)


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


def test_the_first_page_of_the_admin_has_figures_for_the_head_alone(
    client: Client, sam: User, rita: User, oscar: User
) -> None:
    def shown(user: User) -> bool:
        client.force_login(user)
        return "glance-title" in client.get("/admin/").content.decode()

    assert [shown(user) for user in (sam, rita, oscar)] == [True, False, False]
