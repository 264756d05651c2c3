from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from analytics.models import EffectivenessRollup
from diagnoses.models import SideEffect
from feedback.actions import CHANGE_DAYS, submit
from feedback.models import Feedback
from tests.feedback.conftest import figures


def test_a_change_moves_every_figure(api: Any, alice: Any, path: str, recommendation: Any) -> None:
    recommendation.refresh_from_db()
    before = recommendation.effectiveness_score
    assert figures() == {(1, 1, 5, 4, 1, 3, 1, 1)}

    answer = api(alice).patch(path, {"rating": 1, "symptom_improvement": 2, "compliance": None, "side_effects": []})

    assert answer.status_code == 200, answer.json()
    assert figures() == {(1, 0, 1, 2, 0, 0, 0, 0)}
    recommendation.refresh_from_db()
    assert recommendation.effectiveness_score < before


def test_a_change_is_told(api: Any, alice: Any, path: str, diagnosis: Any, recommendation: Any, feedback: Any) -> None:
    recommendation.refresh_from_db()
    before = recommendation.effectiveness_score

    api(alice).patch(path, {"rating": 1})

    told, effect = diagnosis.events.order_by("seq")[5:]
    assert (told.type, effect.type) == ("feedback_update", "effectiveness_update")
    expected = {"action": "changed", "feedback_id": str(feedback.pk), "rating": 1, "side_effects": ["nausea"]}
    assert told.payload.items() >= expected.items()
    recommendation.refresh_from_db()
    assert effect.payload["previous_score"] == pytest.approx(before)
    assert effect.payload["effectiveness_score"] == pytest.approx(recommendation.effectiveness_score)


@pytest.mark.parametrize("change", [{"rating": 2}, {"comment": "نظر تازه"}, {"comment": ""}, {"compliance": 5}])
def test_only_what_is_sent_changes(api: Any, alice: Any, path: str, change: Any) -> None:
    before = api(alice).get(path).json()

    after = api(alice).patch(path, change).json()

    assert {name for name in after if after[name] != before[name]} == {*change, "updated_at"}
    assert after.items() >= change.items()


@pytest.mark.parametrize("same", [
    {}, {"rating": 5, "compliance": 3}, {"comment": "a secret"},
    {"side_effects": [{"effect": "nausea", "severity": 4}]},
])  # fmt: skip
def test_what_is_as_it_was_is_neither_written_nor_told(
    api: Any, alice: Any, path: str, diagnosis: Any, same: Any
) -> None:
    before, told = api(alice).get(path).json(), diagnosis.events.count()

    answer = api(alice).patch(path, same)

    assert (answer.status_code, answer.json()) == (200, before)
    assert (api(alice).get(path).json(), diagnosis.events.count()) == (before, told)


def test_a_side_effect_of_another_severity_is_a_change(api: Any, alice: Any, path: str, diagnosis: Any) -> None:
    told = diagnosis.events.count()

    api(alice).patch(path, {"side_effects": [{"effect": "nausea", "severity": 2}]})

    assert (diagnosis.events.count(), figures()) == (told + 3, {(1, 1, 5, 4, 1, 3, 1, 0)})  # it is not severe any more


def test_side_effects_are_replaced_as_a_whole(api: Any, alice: Any, path: str) -> None:
    SideEffect.objects.create(slug="rash", name_en="Rash", name_fa="بثورات")

    answer = api(alice).patch(path, {"side_effects": [{"effect": "rash", "severity": 1}]})

    assert [(row["effect"], row["severity"]) for row in answer.json()["side_effects"]] == [("rash", 1)]
    assert figures() == {(1, 1, 5, 4, 1, 3, 1, 0)}


@pytest.mark.parametrize("other", [
    {"recommendation": "another"}, {"diagnosis": None}, {"client_id": "0190a1b2-0000-7000-8000-000000000000"},
    {"created_at": "2020-01-01T00:00:00Z"}, {"withdrawn_at": "2020-01-01T00:00:00Z"}, {"id": 1}, {"remedy": "rose"},
])  # fmt: skip
def test_the_report_stays_where_it_was(api: Any, alice: Any, path: str, other: Any) -> None:
    before = api(alice).get(path).json()

    answer = api(alice).patch(path, other | {"rating": 3})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid")
    assert error["fields"] == {name: ["This cannot be changed."] for name in other}
    assert api(alice).get(path).json() == before


def test_the_whole_report_may_come_back_with_a_change(api: Any, alice: Any, path: str, dora: Any) -> None:
    read = api(alice).get(path).json()

    answer = api(alice).patch(path, read | {"rating": 3, "patient": str(dora.patient.pk), "mizaj": "dry"})

    assert (answer.status_code, answer.json()) == (200, read | {"rating": 3, "updated_at": answer.json()["updated_at"]})


def test_only_ones_own(api: Any, bob: Any, charlie: Any, dora: Any, sam: Any, path: str) -> None:
    before = figures()

    statuses = [api(user).patch(path, {"rating": 1}).status_code for user in (bob, charlie, dora, sam)]

    assert statuses == [403, 403, 404, 403]
    assert (figures(), Feedback.objects.get().rating) == (before, 5)


@pytest.mark.parametrize(("hours", "status"), [(-1, 200), (1, 409)])
def test_a_report_can_be_changed_for_thirty_days(
    api: Any, alice: Any, recommendation: Any, diagnosis: Any, hours: int, status: int
) -> None:
    at = timezone.now() - timedelta(days=CHANGE_DAYS, hours=hours)
    old, _ = submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5, at=at)

    answer = api(alice).patch(f"/api/feedback/{old.pk}/", {"rating": 1})

    assert answer.status_code == status
    old.refresh_from_db()
    assert (old.rating, diagnosis.events.count()) == ((1, 6) if status == 200 else (5, 4))
    assert status == 200 or answer.json()["error"]["code"] == "too_late"


def test_a_change_counts_on_the_day_of_the_report(api: Any, alice: Any, recommendation: Any) -> None:
    at = timezone.now() - timedelta(days=9)
    old, _ = submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5, at=at)

    api(alice).patch(f"/api/feedback/{old.pk}/", {"rating": 1})

    assert set(EffectivenessRollup.objects.values_list("day", "rating_sum")) == {(timezone.localdate(at), 1)}


def test_a_diagnosis_entered_in_error_takes_no_change(
    api: Any, alice: Any, bob: Any, path: str, diagnosis: Any
) -> None:
    api(bob).patch(f"/api/diagnoses/{diagnosis.pk}/", {"status": "entered_in_error"})

    answer = api(alice).patch(path, {"rating": 1})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "diagnosis_closed")


def test_a_report_on_what_was_stopped_can_still_be_changed(
    api: Any, alice: Any, bob: Any, path: str, recommendation: Any
) -> None:
    api(bob).post(f"/api/recommendations/{recommendation.pk}/stop/")

    assert api(alice).patch(path, {"rating": 2}).status_code == 200
