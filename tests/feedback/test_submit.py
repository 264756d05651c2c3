from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db import connection

from analytics.models import EffectivenessRollup
from feedback.models import Feedback


def test_a_report_is_stored_counted_and_told(api: Any, alice: Any, report: Any, diagnosis: Any, nausea: Any) -> None:
    body = report | {"comment": "بهتر شدم", "side_effects": [{"effect": "nausea", "severity": 2}]}

    answer = api(alice).post("/api/feedback/", body)

    assert answer.status_code == 201, answer.json()
    feedback = Feedback.objects.get()
    assert (feedback.rating, feedback.comment, feedback.mizaj) == (4, "بهتر شدم", "warm_dry")
    assert {(row.n, row.successes, row.side_effects) for row in EffectivenessRollup.objects.all()} == {(1, 1, 1)}
    told = [event.type for event in diagnosis.events.order_by("seq")]
    assert told == ["diagnosis_update", "recommendation_update", "feedback_update", "effectiveness_update"]


def test_sending_twice_answers_the_first_result(api: Any, alice: Any, report: Any) -> None:
    first = api(alice).post("/api/feedback/", report)
    again = api(alice).post("/api/feedback/", report | {"rating": 1})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert Feedback.objects.count() == 1


def test_the_comment_is_sealed_in_the_database(api: Any, alice: Any, report: Any) -> None:
    api(alice).post("/api/feedback/", report | {"comment": "a secret"})

    stored = Feedback.objects.values_list("comment", flat=True).get()

    assert b"secret" not in bytes(stored)


def test_the_comment_does_not_travel_in_events(api: Any, alice: Any, report: Any, diagnosis: Any) -> None:
    api(alice).post("/api/feedback/", report | {"comment": "a secret"})

    assert not any("secret" in str(event.payload) for event in diagnosis.events.all())


def test_nobody_reports_for_somebody_else(api: Any, bob: Any, dora: Any, sam: Any, report: Any) -> None:
    statuses = [api(user).post("/api/feedback/", report | {"client_id": str(uuid4())}).status_code
                for user in (bob, sam, dora)]  # fmt: skip

    assert statuses == [403, 403, 400]  # for Dora the recommendation does not exist
    assert not Feedback.objects.exists()


def test_a_report_asks_the_database_this_often(
    api: Any, alice: Any, report: Any, django_assert_num_queries: Any
) -> None:
    client = api(alice)

    # Each message to PostgreSQL is one; SQLite takes them one by one: report, rollups, patients, evidence, head and
    # score, two events, the audit record, and that the ranking is due.
    messages = 6 if connection.vendor == "postgresql" else 13
    # session, savepoint, recommendation and lock, [report … head], [score, events, record, sums], release
    with django_assert_num_queries(messages):
        assert client.post("/api/feedback/", report).status_code == 201


def test_nothing_stays_when_the_event_cannot_be_written(api: Any, alice: Any, report: Any, monkeypatch: Any) -> None:
    def fails(*_: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("feedback.actions.appending", fails)
    client = api(alice)
    client.raise_request_exception = False

    assert client.post("/api/feedback/", report).status_code == 500
    assert not Feedback.objects.exists()
    assert not EffectivenessRollup.objects.exists()
