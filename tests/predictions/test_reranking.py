"""After a report those who watch the diagnosis hear of another ranking: once, soon, whatever is killed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection

from analytics.models import ToldRanking
from avicenna.jobs import JOBS
from avicenna.work import work
from diagnoses.actions import change_diagnosis, recommend, stop_recommendation
from diagnoses.models import Remedy
from feedback.actions import submit, withdraw
from feedback.models import Feedback
from predictions.levels import Level
from predictions.ranking import rank
from predictions.reranking import remember_shown, rerank_what_is_due
from realtime.models import DiagnosisEvent


@pytest.fixture
def both(bob: Any, diagnosis: Any, mint: Any, violet: Any) -> list[Any]:
    """Open recommendations of mint and violet, in the order in which they rank while nothing is known."""
    made = [recommend(actor=bob, diagnosis=diagnosis, remedy=remedy) for remedy in (mint, violet)]
    return sorted(made, key=lambda one: str(one.pk))


@pytest.fixture
def shown(api: Any, alice: Any, diagnosis: Any, both: Any) -> list[Any]:
    """`both`, and Alice has seen how they rank."""
    answer = api(alice).get("/api/predictions/", {"diagnosis": str(diagnosis.pk)})
    assert [row["recommendation"] for row in answer.json()["predictions"]] == [str(one.pk) for one in both]
    return list(both)


def report(recommendation: Any, rating: int) -> Feedback:
    return submit(actor=None, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3)[0]


def told(diagnosis: Any) -> list[dict[str, Any]]:
    events = DiagnosisEvent.objects.filter(diagnosis=diagnosis, type="recommendation_update").order_by("seq")
    return [event.payload for event in events if event.payload["action"] == "reranked"]


def test_another_order_is_told_once(diagnosis: Any, shown: Any) -> None:
    first, second = shown
    report(second, 5)
    report(second, 5)

    assert [rerank_what_is_due(), rerank_what_is_due()] == [1, 0]

    [event] = told(diagnosis)
    assert event["recommendation"]["id"] == str(second.pk)
    assert event["previous"]["id"] == str(first.pk)
    assert [row["recommendation_id"] for row in event["ranking"]] == [str(second.pk), str(first.pk)]
    lower, upper = event["ranking"][0]["interval"]
    assert lower < event["ranking"][0]["predicted_effectiveness"] < upper


def test_a_score_that_moved_is_told_though_the_order_stays(diagnosis: Any, shown: Any) -> None:
    report(shown[0], 5)

    rerank_what_is_due()

    [event] = told(diagnosis)
    assert event["previous"] is None


def test_what_nobody_would_notice_is_not_told(diagnosis: Any, shown: Any) -> None:
    for _ in range(40):
        report(shown[0], 5)
    rerank_what_is_due()
    report(shown[0], 5)

    assert rerank_what_is_due() == 0
    assert len(told(diagnosis)) == 1
    assert not ToldRanking.objects.filter(is_due=True).exists()


def test_small_steps_are_told_when_they_add_up(diagnosis: Any, shown: Any) -> None:
    for _ in range(40):
        report(shown[0], 5)
    rerank_what_is_due()
    for rating in [1] * 12:
        report(shown[0], rating)
        rerank_what_is_due()

    scores = [event["ranking"][0]["predicted_effectiveness"] for event in told(diagnosis)]
    assert 2 <= len(scores) <= 12
    assert all(before - after > 0.03 for before, after in pairwise(scores))


def test_a_withdrawn_report_ranks_as_before(diagnosis: Any, shown: Any) -> None:
    feedback = report(shown[1], 5)
    rerank_what_is_due()
    withdraw(actor=None, feedback=feedback)
    rerank_what_is_due()

    assert [event["recommendation"]["id"] for event in told(diagnosis)] == [str(shown[1].pk), str(shown[0].pk)]


def test_a_new_recommendation_has_a_place_after_the_next_report(bob: Any, diagnosis: Any, shown: Any) -> None:
    honey = Remedy.objects.create(slug="honey", name_en="Honey", name_fa="عسل")
    added = recommend(actor=bob, diagnosis=diagnosis, remedy=honey)
    stop_recommendation(actor=bob, recommendation=shown[1], reason="enough")
    report(shown[0], 5)
    rerank_what_is_due()

    [event] = told(diagnosis)
    assert {row["recommendation_id"] for row in event["ranking"]} == {str(shown[0].pk), str(added.pk)}


def test_where_nobody_has_seen_a_ranking_nothing_is_told(diagnosis: Any, both: Any) -> None:
    report(both[1], 5)

    assert rerank_what_is_due() == 0
    assert not ToldRanking.objects.exists()


def test_a_closed_diagnosis_is_left_in_peace(bob: Any, diagnosis: Any, shown: Any) -> None:
    report(shown[1], 5)
    change_diagnosis(actor=bob, diagnosis=diagnosis, changes={"status": "resolved"})

    assert rerank_what_is_due() == 0
    assert not ToldRanking.objects.filter(is_due=True).exists()


def test_a_report_that_came_while_the_ranking_was_made_is_not_missed(diagnosis: Any, both: Any) -> None:
    ranking = rank(diagnosis, Level.BALANCED)
    report(both[1], 5)
    remember_shown([ranking])

    assert rerank_what_is_due() == 1


def test_killed_in_the_middle_it_is_told_in_the_next_round(diagnosis: Any, shown: Any, monkeypatch: Any) -> None:
    report(shown[1], 5)
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr("predictions.reranking.ToldRanking.save", lambda *_, **__: exit())
        rerank_what_is_due()
    assert told(diagnosis) == []

    rerank_what_is_due()

    assert len(told(diagnosis)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_tell_once(diagnosis: Any, shown: Any) -> None:
    def round_() -> int:
        try:
            return rerank_what_is_due()
        finally:
            connection.close()

    report(shown[1], 5)
    with ThreadPoolExecutor(4) as threads:
        counts = [one.result() for one in [threads.submit(round_) for _ in range(4)]]

    assert sum(counts) == len(told(diagnosis)) == 1


@pytest.mark.django_db(transaction=True)
def test_the_worker_tells_within_two_seconds(diagnosis: Any, shown: Any) -> None:
    stop = Event()
    thread = Thread(target=work, args=[stop, JOBS])
    thread.start()
    report(shown[1], 5)
    deadline = monotonic() + 2
    while not told(diagnosis) and monotonic() < deadline:
        sleep(0.05)
    stop.set()
    thread.join(timeout=10)

    assert len(told(diagnosis)) == 1
