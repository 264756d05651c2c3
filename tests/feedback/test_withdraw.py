from __future__ import annotations

from typing import Any

import pytest

from analytics.models import SubjectPatient
from feedback.actions import submit
from feedback.models import Feedback
from tests.feedback.conftest import figures


def test_a_withdrawn_report_leaves_every_figure(api: Any, alice: Any, path: str, recommendation: Any) -> None:
    answer = api(alice).delete(path)

    assert (answer.status_code, answer.content) == (204, b"")
    assert figures() <= {(0,) * 8}
    assert not SubjectPatient.objects.exists()
    known = api(alice).get(f"/api/analytics/recommendations/{recommendation.pk}").json()
    assert (known["sample_size"], known["average_rating"]) == (0, None)


def test_the_score_is_again_what_it_was_without_it(api: Any, alice: Any, recommendation: Any) -> None:
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4)
    recommendation.refresh_from_db()
    before, counted = recommendation.effectiveness_score, figures()
    second, _ = submit(actor=alice, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1)

    api(alice).delete(f"/api/feedback/{second.pk}/")

    recommendation.refresh_from_db()
    assert (recommendation.effectiveness_score, figures()) == (pytest.approx(before), counted)


def test_it_is_told(api: Any, alice: Any, path: str, diagnosis: Any, feedback: Feedback) -> None:
    api(alice).delete(path)

    told, effect, flag = diagnosis.events.order_by("seq")[5:]
    expected = {"action": "withdrawn", "feedback_id": str(feedback.pk), "sample_size": 0, "average_rating": None}
    assert told.payload.items() >= expected.items()
    assert (effect.type, effect.payload["sample_size"]) == ("effectiveness_update", 0)
    assert (flag.type, flag.payload["action"]) == ("severe_side_effect", "taken_back")


def test_it_stays_marked_in_ones_own_history(api: Any, alice: Any, path: str, feedback: Feedback) -> None:
    client = api(alice)
    client.delete(path)

    assert client.get("/api/feedback/").json()["count"] == 0
    assert client.get("/api/feedback/?withdrawn=false").json()["count"] == 0
    (row,) = client.get("/api/feedback/?withdrawn=true").json()["results"]
    assert row["id"] == str(feedback.pk) and row["withdrawn_at"] and row["comment"] == "a secret"
    assert client.get(path).json() == row


def test_others_see_that_it_was_withdrawn_and_not_what_it_said(
    api: Any, alice: Any, bob: Any, sam: Any, path: str
) -> None:
    assert api(bob).get(path).json()["comment"] == "a secret"
    api(alice).delete(path)

    for other in (bob, sam):
        (row,) = api(other).get("/api/feedback/?withdrawn=true").json()["results"]
        assert row["withdrawn_at"] and (row["rating"], row["comment"]) == (5, "")
        assert api(other).get(path).json() == row


def test_twice_is_once_too_often(api: Any, alice: Any, path: str, diagnosis: Any) -> None:
    client = api(alice)
    client.delete(path)
    told = diagnosis.events.count()

    answers = [client.delete(path), client.patch(path, {"rating": 1})]

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(409, "withdrawn")] * 2
    assert (diagnosis.events.count(), Feedback.objects.get().rating) == (told, 5)
    assert figures() <= {(0,) * 8}


def test_only_ones_own(api: Any, bob: Any, charlie: Any, dora: Any, sam: Any, path: str) -> None:
    before = figures()

    statuses = [api(user).delete(path).status_code for user in (bob, charlie, dora, sam)]

    assert statuses == [403, 403, 404, 403]
    assert (figures(), Feedback.objects.get().withdrawn_at) == (before, None)


def test_the_same_report_sent_again_does_not_bring_it_back(api: Any, alice: Any, report: Any) -> None:
    client = api(alice)
    pk = client.post("/api/feedback/", report).json()["id"]
    client.delete(f"/api/feedback/{pk}/")

    again = client.post("/api/feedback/", report)

    assert (again.status_code, again.json()["id"]) == (200, pk) and again.json()["withdrawn_at"]
    assert figures() <= {(0,) * 8}
