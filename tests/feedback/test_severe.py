"""A severe side effect reaches the clinic, and the clinic says that it has looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from feedback.actions import change, submit, withdraw
from feedback.models import SevereFlag

ADDRESS = "/api/severe-side-effects/"


@pytest.fixture
def severe(alice: Any, recommendation: Any, nausea: Any) -> Any:
    return submit(
        actor=alice, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1, side_effects={nausea: 4}
    )[0]  # fmt: skip


def told(api: Any, alice: Any, diagnosis: Any) -> list[str]:
    events = api(alice).get(f"/api/diagnoses/{diagnosis.pk}/events/?since=0").json()["events"]
    return [event["data"]["action"] for event in events if event["type"] == "severe_side_effect"]


def test_it_raises_a_flag_until_somebody_has_looked(
    api: Any, alice: Any, bob: Any, severe: Any, diagnosis: Any
) -> None:
    (flag,) = api(bob).get(f"{ADDRESS}?open=true").json()["results"]
    assert (flag["patient_name"], flag["condition_name"]) == ("Alice Owner", "Headache")
    assert (flag["remedy"], flag["side_effects"], flag["looked_at"]) == (
        "mint", [{"effect": "nausea", "name": "Nausea", "severity": 4}], None,
    )  # fmt: skip

    looked = api(bob).post(f"{ADDRESS}{flag['id']}/look-at/").json()

    assert looked["looked_at_by"] == "Dr Bob"
    assert api(bob).get(f"{ADDRESS}?open=true").json()["results"] == []
    assert len(api(bob).get(ADDRESS).json()["results"]) == 1
    assert told(api, alice, diagnosis) == ["raised", "looked_at"]


def test_who_looked_first_stays(api: Any, alice: Any, bob: Any, sam: Any, severe: Any, diagnosis: Any) -> None:
    for user in (bob, sam):
        assert api(user).post(f"{ADDRESS}{severe.flag.pk}/look-at/").json()["looked_at_by"] == "Dr Bob"
    assert told(api, alice, diagnosis) == ["raised", "looked_at"]


def test_the_list_asks_the_database_as_often_for_many(
    api: Any, alice: Any, bob: Any, severe: Any, recommendation: Any, nausea: Any, django_assert_num_queries: Any
) -> None:
    said = {"recommendation_id": recommendation.pk, "rating": 1, "symptom_improvement": 1}
    submit(actor=alice, **said, side_effects={nausea: 5})
    client = api(bob)

    # session, flags with all they name, side effects, their names, the audit record
    with django_assert_num_queries(5):
        assert len(client.get(ADDRESS).json()["results"]) == 2


def test_a_mild_one_raises_none(
    api: Any, alice: Any, bob: Any, recommendation: Any, nausea: Any, diagnosis: Any
) -> None:
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4, side_effects={nausea: 3})

    assert api(bob).get(ADDRESS).json()["results"] == []
    assert told(api, alice, diagnosis) == []


def test_what_is_brought_in_from_long_ago_raises_none(recommendation: Any, nausea: Any) -> None:
    said = {"rating": 1, "symptom_improvement": 1, "side_effects": {nausea: 5}}
    for days in (29, 31):
        submit(actor=None, recommendation_id=recommendation.pk, at=timezone.now() - timedelta(days=days), **said)

    assert SevereFlag.objects.count() == 1


def test_a_change_raises_it_or_takes_it_back(api: Any, alice: Any, severe: Any, nausea: Any, diagnosis: Any) -> None:
    for severity in (1, 5):
        severe = change(actor=alice, feedback=severe, changes={"side_effects": {nausea: severity}})
    withdraw(actor=alice, feedback=severe)

    assert told(api, alice, diagnosis) == ["raised", "taken_back", "raised", "taken_back"]
    assert not SevereFlag.objects.exists()


def test_what_was_looked_at_is_not_taken_back(
    api: Any, alice: Any, bob: Any, severe: Any, nausea: Any, diagnosis: Any
) -> None:
    api(bob).post(f"{ADDRESS}{severe.flag.pk}/look-at/")
    change(actor=alice, feedback=severe, changes={"side_effects": {nausea: 1}})

    assert told(api, alice, diagnosis) == ["raised", "looked_at"]
    assert SevereFlag.objects.get().looked_at_by == bob


def test_staff_mark_it_in_the_admin(client: Any, sam: Any, severe: Any) -> None:
    client.force_login(sam)
    page = "/admin/feedback/severeflag/"
    assert "Nausea 4/5" in client.get(page).content.decode()

    client.post(page, {"action": "mark_as_looked_at", "_selected_action": [severe.flag.pk]})

    assert SevereFlag.objects.get().looked_at_by == sam
