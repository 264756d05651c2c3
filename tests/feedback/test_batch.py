from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError

from diagnoses.actions import stop_recommendation
from feedback.models import Feedback

ADDRESS = "/api/feedback/batch/"


def test_some_may_fail_and_the_rest_are_kept(api: Any, alice: Any, report: Any) -> None:
    unknown = report | {"recommendation": str(uuid4()), "client_id": str(uuid4())}
    wrong = report | {"rating": 6, "client_id": str(uuid4())}

    answers = api(alice).post(ADDRESS, {"items": [unknown, report, wrong, report]}).json()

    assert [answer["status"] for answer in answers] == [400, 201, 400, 200]
    assert [list(answer["error"]["fields"]) for answer in answers if "error" in answer] == [
        ["recommendation"],
        ["rating"],
    ]
    assert answers[1]["feedback"]["id"] == answers[3]["feedback"]["id"] == str(Feedback.objects.get().pk)


def test_sent_again_it_counts_once(api: Any, alice: Any, report: Any) -> None:
    """The answer was lost in the tunnel."""
    first, second = (api(alice).post(ADDRESS, {"items": [report]}).json() for _ in range(2))

    assert (first[0]["status"], second[0]["status"]) == (201, 200)
    assert Feedback.objects.count() == 1


def test_each_item_is_told_to_those_who_watch(api: Any, alice: Any, report: Any, diagnosis: Any) -> None:
    again = report | {"client_id": str(uuid4()), "rating": 1}
    api(alice).post(ADDRESS, {"items": [report, again]})

    events = api(alice).get(f"/api/diagnoses/{diagnosis.pk}/events/?since=2").json()["events"]
    assert [(event["type"], event["data"].get("rating")) for event in events if event["type"] == "feedback_update"] == [
        ("feedback_update", 4), ("feedback_update", 1),
    ]  # fmt: skip


def test_what_is_kept_survives_a_failure_of_the_next(api: Any, alice: Any, report: Any, monkeypatch: Any) -> None:
    from feedback import views

    submit, sent = views.actions.submit, iter([True, False])

    def break_the_second_time(**kwargs: Any) -> Any:
        if next(sent):
            return submit(**kwargs)
        raise IntegrityError("the server died")

    monkeypatch.setattr(views.actions, "submit", break_the_second_time)
    client = api(alice)
    client.raise_request_exception = False

    assert client.post(ADDRESS, {"items": [report, report | {"client_id": str(uuid4())}]}).status_code == 500
    assert Feedback.objects.count() == 1


@pytest.mark.parametrize("items", [[], "all", [{}] * 51, ["text"], None])
def test_what_is_no_batch_is_refused_whole(api: Any, alice: Any, items: Any) -> None:
    answer = api(alice).post(ADDRESS, {"items": items})

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["items"])


def test_a_batch_in_persian_answers_in_persian(api: Any, alice: Any, report: Any) -> None:
    comment = "بهتر شدم؛ خوابم عمیق‌تر شده ۱۲۳"
    answers = api(alice, accept_language="fa").post(
        ADDRESS, {"items": [report | {"comment": comment}, report | {"rating": 9, "client_id": str(uuid4())}]}
    ).json()  # fmt: skip

    assert answers[0]["feedback"]["comment"] == comment

    assert answers[1]["error"]["message"] == "مقدار برخی از خانه‌ها درست نیست."


def test_reports_on_a_stopped_recommendation_are_still_taken(
    api: Any, alice: Any, bob: Any, report: Any, recommendation: Any
) -> None:
    stop_recommendation(actor=bob, recommendation=recommendation)

    assert api(alice).post(ADDRESS, {"items": [report]}).json()[0]["status"] == 201
