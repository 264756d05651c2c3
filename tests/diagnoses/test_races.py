"""Two at one record at the same moment: what both said is kept, or one of them hears that it came too late."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from analytics.models import EffectivenessRollup
from audit.models import AuditRecord
from diagnoses.actions import set_care_team
from diagnoses.models import Diagnosis, Recommendation
from feedback.models import Feedback
from tests.accounts.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = [0, *(pytest.param(number, marks=pytest.mark.thorough) for number in range(1, 6))]


@pytest.fixture(autouse=True)
def real_races() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time; only PostgreSQL runs the race.")


@pytest.fixture
def both(api: Any, bob: Any, charlie: Any, sam: Any, patient: Any) -> tuple[Any, Any]:
    """Two practitioners of one care team."""
    set_care_team(actor=sam, patient=patient, practitioners=[bob, charlie])
    return api(bob), api(charlie)


def told(diagnosis: Diagnosis) -> list[str]:
    """What the stream says of it, whose numbers have no gap."""
    events = list(diagnosis.events.order_by("seq"))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.payload.get("action", event.type) for event in events]


@pytest.mark.parametrize("number", ROUNDS)
def test_two_that_change_one_recommendation_both_keep_what_they_said(
    both: Any, diagnosis: Diagnosis, recommendation: Recommendation, number: int
) -> None:
    address = f"/api/recommendations/{recommendation.pk}/"

    answers = race(
        lambda: both[0].patch(address, {"dosage": "two spoons"}), lambda: both[1].patch(address, {"frequency": "daily"})
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    recommendation.refresh_from_db()
    assert (recommendation.dosage, recommendation.frequency) == ("two spoons", "daily")
    assert told(diagnosis).count("changed") == 2
    records = AuditRecord.objects.filter(object_id=recommendation.pk, action="changed")
    assert {name for record in records for name in record.changes} == {"dosage", "frequency"}


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("other", ["complete", "replace"])
def test_of_two_that_end_one_recommendation_one_comes_too_late(
    both: Any, diagnosis: Diagnosis, recommendation: Recommendation, violet: Any, other: str, number: int
) -> None:
    address = f"/api/recommendations/{recommendation.pk}"

    stopped, ended = race(
        lambda: both[0].post(f"{address}/stop/", {"reason": "x"}),
        lambda: both[1].post(f"{address}/{other}/", {"remedy": "sweet-violet"}),
    )

    won = {"complete": (200, "completed"), "replace": (201, "replaced")}[other]
    recommendation.refresh_from_db()
    assert (stopped.status_code, ended.status_code, recommendation.status) in [
        (200, 409, "stopped"), (409, won[0], won[1]),
    ]  # fmt: skip
    assert Recommendation.objects.count() == 1 + (recommendation.status == "replaced")
    assert len(set(told(diagnosis)) & {"stopped", "completed", "replaced"}) == 1


@pytest.mark.parametrize("number", ROUNDS)
def test_two_that_recommend_one_remedy_recommend_it_once(
    both: Any, diagnosis: Diagnosis, mint: Any, number: int
) -> None:
    address = f"/api/diagnoses/{diagnosis.pk}/recommendations/"

    answers = race(*(lambda one=one: one.post(address, {"remedy": "mint"}) for one in both))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert diagnosis.recommendations.count() == told(diagnosis).count("added") == 1


@pytest.mark.parametrize("number", ROUNDS)
def test_one_report_that_is_sent_twice_at_once_counts_once(
    api: Any, alice: Any, diagnosis: Diagnosis, report: Any, number: int
) -> None:
    phones = [api(alice), api(alice)]

    answers = race(*(lambda one=one: one.post("/api/feedback/", report) for one in phones))

    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert Feedback.objects.count() == told(diagnosis).count("created") == 1
    assert set(EffectivenessRollup.objects.values_list("n", flat=True)) == {1}


@pytest.mark.parametrize("number", ROUNDS)
def test_what_is_written_beside_leaving_the_care_team_is_whole_or_not_there(
    both: Any, sam: Any, bob: Any, patient: Any, diagnosis: Diagnosis, mint: Any, number: int
) -> None:
    address, rest = f"/api/diagnoses/{diagnosis.pk}/recommendations/", f"/api/diagnoses/{diagnosis.pk}/"

    given, _ = race(
        lambda: both[1].post(address, {"remedy": "mint"}),
        lambda: set_care_team(actor=sam, patient=patient, practitioners=[bob]),
    )

    assert given.status_code in (201, 403, 404)  # 403 between the look for it and the writing
    assert diagnosis.recommendations.count() == told(diagnosis).count("added") == (given.status_code == 201)
    assert both[1].get(rest).status_code == both[1].post(address, {"remedy": "mint"}).status_code == 404
