from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from diagnoses.actions import recommend
from feedback.actions import submit
from feedback.models import Feedback


@pytest.fixture
def report_on(alice: Any, recommendation: Any) -> Any:
    def send(rating: int = 4, *, on: Any = recommendation, at: datetime | None = None, **more: Any) -> Feedback:
        stored, _ = submit(actor=alice, recommendation_id=on.pk, rating=rating, symptom_improvement=4, at=at, **more)
        return stored

    return send


def test_a_row_tells_the_report(api: Any, alice: Any, report_on: Any, nausea: Any, recommendation: Any) -> None:
    feedback = report_on(5, comment="خوب", compliance=2, side_effects={nausea: 3})

    (row,) = api(alice, accept_language="fa").get("/api/feedback/").json()["results"]

    assert (
        row.items()
        >= {
            "id": str(feedback.pk),
            "recommendation": str(recommendation.pk),
            "diagnosis": str(recommendation.diagnosis_id),
            "remedy": "mint",
            "remedy_name": "نعناع",
            "rating": 5,
            "compliance": 2,
            "comment": "خوب",
            "side_effects": [{"effect": "nausea", "name": "تهوع", "severity": 3}],
            "withdrawn_at": None,
        }.items()
    )


def test_filters_narrow_the_list(
    api: Any, alice: Any, bob: Any, report_on: Any, diagnosis: Any, recommendation: Any, patient: Any, violet: Any
) -> None:
    other = recommend(actor=bob, diagnosis=diagnosis, remedy=violet)
    low, middle, high = report_on(1), report_on(3), report_on(5, on=other)

    def found(query: str) -> set[str]:
        return {row["id"] for row in api(alice).get(f"/api/feedback/?{query}").json()["results"]}

    a, b, c = (str(feedback.pk) for feedback in (low, middle, high))
    assert found("") == found(f"diagnosis={diagnosis.pk}") == found(f"patient={patient.pk}") == {a, b, c}
    assert found(f"recommendation={other.pk}") == found("remedy=sweet-violet") == {c}
    assert (found("rating_min=3"), found("rating_max=3"), found("rating_min=2&rating_max=4")) == ({b, c}, {a, b}, {b})
    assert found("rating_min=4&rating_max=2") == found("remedy=none") == set()


def test_days_are_days_of_the_clinic(api: Any, alice: Any, report_on: Any) -> None:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=5)
    before, first, last = (
        report_on(at=midnight + timedelta(**when)) for when in ({"minutes": -1}, {"minutes": 1}, {"hours": 23})
    )
    day = midnight.date().isoformat()

    def found(query: str) -> list[str]:
        return [row["id"] for row in api(alice).get(f"/api/feedback/?{query}").json()["results"]]

    assert found(f"since={day}&until={day}") == found(f"since={day}") == [str(last.pk), str(first.pk)]
    assert found(f"until={(midnight - timedelta(days=1)).date()}") == [str(before.pk)]


@pytest.mark.parametrize(("asked", "expected"), [
    ("", [2, 5, 1, 5, 3]), ("ordering=created_at", [3, 5, 1, 5, 2]), ("ordering=-created_at", [2, 5, 1, 5, 3]),
    ("ordering=rating", [1, 2, 3, 5, 5]), ("ordering=-rating", [5, 5, 3, 2, 1]),
    ("ordering=-rating,created_at", [5, 5, 3, 2, 1]),
])  # fmt: skip
def test_the_order_is_the_one_asked_for(api: Any, alice: Any, report_on: Any, asked: str, expected: list[int]) -> None:
    for days, rating in enumerate([2, 5, 1, 5, 3]):
        report_on(rating, at=timezone.now() - timedelta(days=days))

    rows = api(alice).get(f"/api/feedback/?{asked}").json()["results"]

    assert [row["rating"] for row in rows] == expected


@pytest.mark.parametrize("ordering", ["", "created_at", "-created_at", "rating", "-rating"])
def test_pages_hold_every_report_once_also_among_equals(api: Any, alice: Any, report_on: Any, ordering: str) -> None:
    at = timezone.now()
    sent = {str(report_on(4, at=at).pk) for _ in range(7)}

    pages = [
        api(alice).get(f"/api/feedback/?page_size=3&page={page}&ordering={ordering}").json()["results"]
        for page in (1, 2, 3)
    ]

    ids = [row["id"] for page in pages for row in page]
    assert set(ids) == sent and all(one > next_ for one, next_ in pairwise(ids))


def test_a_page_says_where_the_others_are(api: Any, alice: Any, report_on: Any) -> None:
    for _ in range(3):
        report_on()

    first = api(alice).get("/api/feedback/?page_size=2").json()
    second = api(alice).get(first["next"]).json()

    assert (first["count"], first["previous"], len(first["results"])) == (3, None, 2)
    assert (second["next"], len(second["results"])) == (None, 1)


def test_filters_do_not_stand_between_a_report_and_its_id(api: Any, alice: Any, report_on: Any) -> None:
    feedback = report_on(1)

    assert api(alice).get(f"/api/feedback/{feedback.pk}/?rating_min=5&ordering=evil").status_code == 200


def test_a_list_asks_the_database_as_often_for_many(api: Any, bob: Any, report_on: Any, nausea: Any) -> None:
    client, asked = api(bob), []
    for more in (2, 10):
        for _ in range(more):
            report_on(side_effects={nausea: 2})
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/api/feedback/").json()["count"] in (2, 12)
        asked.append(len(queries))

    assert asked == [5, 4]  # session, rows, side effects, their terms; the first time the audit record


def test_a_comment_is_between_the_patient_and_the_care_team(
    api: Any, alice: Any, bob: Any, sam: Any, report_on: Any
) -> None:
    report_on(5, comment="a secret")

    read = {user: api(user).get("/api/feedback/").json()["results"][0]["comment"] for user in (alice, bob, sam)}

    assert read == {alice: "a secret", bob: "a secret", sam: ""}
