from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from diagnoses.actions import recommend
from feedback.actions import submit, withdraw


def test_a_recommendation_is_summed_up(api: Any, alice: Any, recommendation: Any, nausea: Any) -> None:
    said = {"actor": alice, "recommendation_id": recommendation.pk, "symptom_improvement": 3}
    submit(**said, rating=5, compliance=2, side_effects={nausea: 4})
    submit(**said, rating=2, side_effects={nausea: 1})
    withdraw(actor=alice, feedback=submit(**said, rating=1)[0])

    found = api(alice).get(f"/api/recommendations/{recommendation.pk}/feedback-summary").json()

    assert (found["reports"], found["average_rating"], found["average_compliance"]) == (2, 3.5, 2)
    assert found["ratings"] == {"1": 0, "2": 1, "3": 0, "4": 0, "5": 1}
    assert found["side_effects"] == [{"effect": "nausea", "name": "Nausea", "reports": 2, "severest": 4}]
    assert found["first_at"] < found["last_at"]


def test_without_a_report_everything_is_empty(api: Any, alice: Any, recommendation: Any) -> None:
    found = api(alice).get(f"/api/recommendations/{recommendation.pk}/feedback-summary").json()

    assert (found["reports"], found["average_rating"], found["side_effects"], found["last_at"]) == (0, None, [], None)


def test_a_diagnosis_lists_each_recommendation_and_all_together(
    api: Any, alice: Any, bob: Any, recommendation: Any, violet: Any, django_assert_num_queries: Any
) -> None:
    recommend(actor=bob, diagnosis=recommendation.diagnosis, remedy=violet)
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=3)
    client, address = api(alice), f"/api/diagnoses/{recommendation.diagnosis_id}/feedback-overview"

    with django_assert_num_queries(6):  # session, diagnosis, reports, their effects, recommendations, audit record
        found = client.get(address).json()

    assert found["total"]["reports"] == 1
    assert [(row["remedy"], row["summary"]["reports"]) for row in found["recommendations"]] == [
        ("mint", 1), ("sweet-violet", 0),
    ]  # fmt: skip


def test_a_course_tells_each_standing_report_of_the_days_asked_for_oldest_first(
    api: Any, alice: Any, recommendation: Any, django_assert_num_queries: Any
) -> None:
    for ago, rating in ((40, 1), (3, 2), (20, 5)):
        said = {"recommendation_id": recommendation.pk, "rating": rating, "symptom_improvement": 3}
        submit(actor=None, **said, at=timezone.now() - timedelta(days=ago))
    withdraw(actor=alice, feedback=submit(actor=alice, **said)[0])
    client, address = api(alice), f"/api/diagnoses/{recommendation.diagnosis_id}/feedback-course"

    with django_assert_num_queries(5):  # session, diagnosis, recommendations, reports, audit record
        (course,) = client.get(address).json()

    assert (course["remedy_name"], course["status"]) == ("Mint", "active")
    assert [report["rating"] for report in course["reports"]] == [5, 2]
    assert [len(course["reports"]) for course in client.get(f"{address}?days=60").json()] == [3]


@pytest.mark.parametrize("days", ["0", "366", "many"])
def test_a_course_of_days_that_cannot_be_is_refused(api: Any, alice: Any, diagnosis: Any, days: str) -> None:
    answer = api(alice).get(f"/api/diagnoses/{diagnosis.pk}/feedback-course?days={days}")

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["days"])
