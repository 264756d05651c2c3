from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from diagnoses.actions import recommend
from feedback.actions import submit


@pytest.fixture
def given_long_ago(bob: Any, diagnosis: Any, mint: Any, violet: Any) -> tuple[Any, Any]:
    """Mint 400 days ago, violet 10."""
    ages = [(mint, 400), (violet, 10)]
    return tuple(
        recommend(actor=bob, diagnosis=diagnosis, remedy=remedy, created_at=timezone.now() - timedelta(days=days))
        for remedy, days in ages
    )  # type: ignore[return-value]


def report(alice: Any, recommendation: Any, rating: int, days_ago: int) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    submit(actor=alice, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3, at=at)


def test_scores_and_their_order_move_with_the_reports(
    asked: Any, alice: Any, diagnosis: Any, given_long_ago: Any
) -> None:
    mint, violet = given_long_ago
    for days_ago in (20, 19, 18):
        report(alice, mint, 5, days_ago)
    for days_ago in (5, 4, 3):
        report(alice, mint, 1, days_ago)
        report(alice, violet, 5, days_ago)

    found = asked(alice, "history", diagnosis=diagnosis.pk)
    of_mint, of_violet = ({p["day"]: p for p in course["points"]} for course in found["recommendations"])

    today = timezone.localdate()
    day = lambda ago: str(today - timedelta(days=ago))  # noqa: E731
    assert (len(of_mint), len(of_violet)) == (30, 11) and list(of_mint) == sorted(of_mint)
    assert of_mint[day(25)]["effectiveness_score"] == 0.5
    assert of_mint[day(25)]["sample_size"] == 0 and of_mint[day(19)]["sample_size"] == 2
    assert of_mint[day(19)]["effectiveness_score"] > 0.5
    assert (of_mint[day(8)]["rank"], of_violet[day(8)]["rank"]) == (1, 2)
    assert (of_mint[day(0)]["rank"], of_violet[day(0)]["rank"]) == (2, 1)


def test_today_is_the_effectiveness_that_stands(
    api: Any, asked: Any, alice: Any, diagnosis: Any, given_long_ago: Any, history: None
) -> None:
    report(alice, given_long_ago[0], 5, 95)  # left the window
    report(alice, given_long_ago[0], 4, 89)

    course = asked(alice, "history", diagnosis=diagnosis.pk, days=1)["recommendations"][0]
    now = api(alice).get(f"/api/analytics/recommendations/{given_long_ago[0].pk}").json()

    [point] = course["points"]
    assert point["effectiveness_score"] == pytest.approx(now["effectiveness_score"])
    assert point["interval"] == pytest.approx(now["interval"])
    assert point["sample_size"] == now["sample_size"] == 1


def test_a_year_is_the_most_and_asks_no_more_often(
    api: Any, alice: Any, diagnosis: Any, given_long_ago: Any, django_assert_max_num_queries: Any
) -> None:
    client = api(alice)
    for days in (1, 365):
        # session, diagnosis, recommendations, rollups, strength of the prior, audit record
        with django_assert_max_num_queries(6):
            answer = client.get("/api/predictions/history", {"diagnosis": str(diagnosis.pk), "days": days})
        assert [len(course["points"]) for course in answer.json()["recommendations"]] == [days, min(days, 11)]


def test_without_recommendations_there_is_no_history(asked: Any, alice: Any, diagnosis: Any) -> None:
    assert asked(alice, "history", diagnosis=diagnosis.pk)["recommendations"] == []


@pytest.mark.parametrize("days", ["0", "-1", "366", "9" * 30, "1.5", "x", "NaN"])
def test_days_are_from_1_to_365(api: Any, alice: Any, diagnosis: Any, days: str) -> None:
    answer = api(alice).get("/api/predictions/history", {"diagnosis": str(diagnosis.pk), "days": days})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["days"])


def test_an_outsider_learns_nothing(api: Any, charlie: Any, dora: Any, diagnosis: Any) -> None:
    asked = {"diagnosis": str(diagnosis.pk)}

    assert [api(user).get("/api/predictions/history", asked).status_code for user in (charlie, dora)] == [404, 404]
