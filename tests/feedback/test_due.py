"""What a patient may still report on today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from diagnoses.actions import change_diagnosis, complete_recommendation
from feedback.actions import submit, withdraw
from feedback.models import Feedback


@pytest.fixture
def due(api: Any, alice: Any) -> Any:
    def ask(who: Any = alice) -> list[str]:
        since = (timezone.now() - timedelta(hours=6)).isoformat()
        return [row["id"] for row in api(who).get("/api/feedback/due", {"since": since}).json()]

    return ask


def test_what_was_reported_today_is_not_due_and_what_was_withdrawn_is_again(
    due: Any, recommendation: Any, feedback: Feedback, alice: Any
) -> None:
    assert due() == []

    withdraw(actor=alice, feedback=feedback)

    assert due() == [str(recommendation.pk)]


def test_a_report_of_yesterday_does_not_count(due: Any, recommendation: Any, alice: Any) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4, at=yesterday)

    assert due() == [str(recommendation.pk)]


def test_only_open_ones_in_active_diagnoses_are_due(due: Any, recommendation: Any, bob: Any) -> None:
    diagnosis = recommendation.diagnosis
    change_diagnosis(actor=bob, diagnosis=diagnosis, changes={"status": "resolved"})
    assert due() == []
    change_diagnosis(actor=bob, diagnosis=diagnosis, changes={"status": "active"})

    complete_recommendation(actor=bob, recommendation=recommendation)

    assert due() == []


def test_nobody_else_is_told(due: Any, recommendation: Any, bob: Any, charlie: Any, dora: Any) -> None:
    assert [due(who) for who in (bob, charlie, dora)] == [[], [], []]


def test_without_a_time_the_field_is_named(api: Any, alice: Any) -> None:
    answer = api(alice).get("/api/feedback/due")

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["since"])
