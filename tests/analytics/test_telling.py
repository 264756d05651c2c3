"""What some report, others who were recommended the same remedy hear of: soon, and not all the time."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import InterfaceError
from django.utils import timezone

from analytics import telling
from analytics.telling import tell_what_moved
from analytics.work import work
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Diagnosis, Recommendation
from feedback.actions import submit
from realtime.models import DiagnosisEvent


@pytest.fixture
def newcomer(bob: Any, headache: Any, mint: Any) -> Any:
    """`newcomer()`: the recommendation of mint to one more patient with a headache."""

    def made() -> Recommendation:
        patient = create_patient(actor=None, full_name="P", care_team=[bob])
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        return recommend(actor=bob, diagnosis=diagnosis, remedy=mint)

    return made


def report(recommendation: Recommendation, *ratings: int) -> None:
    for rating in ratings:
        submit(actor=None, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3)


def heard(recommendation: Recommendation) -> list[float]:
    events = DiagnosisEvent.objects.filter(diagnosis=recommendation.diagnosis_id, type="effectiveness_update")
    return [event.payload["effectiveness_score"] for event in events.order_by("seq")]


def later(seconds: float) -> None:
    DiagnosisEvent.objects.update(created_at=timezone.now() - timedelta(seconds=seconds))


@pytest.fixture
def watched(newcomer: Any) -> Recommendation:
    """A recommendation with one report of its own, all told."""
    recommendation: Recommendation = newcomer()
    report(recommendation, 5)
    later(20)
    tell_what_moved()
    assert len(heard(recommendation)) == 1
    return recommendation


def test_another_diagnosis_hears_when_the_remedy_moved(newcomer: Any, watched: Recommendation) -> None:
    report(newcomer(), 1, 1, 1)

    assert tell_what_moved() == 1

    first, second = heard(watched)
    watched.refresh_from_db()
    assert second < first - 0.01
    assert watched.effectiveness_score == second
    assert tell_what_moved() == 0


def test_what_nobody_would_notice_is_not_told(newcomer: Any, watched: Recommendation) -> None:
    report(newcomer(), *[5, 1] * 40)
    later(20)
    tell_what_moved()
    told = heard(watched)

    report(newcomer(), 1)

    assert (tell_what_moved(), heard(watched)) == (0, told)


def test_a_diagnosis_hears_of_it_every_ten_seconds_at_most(newcomer: Any, watched: Recommendation) -> None:
    report(newcomer(), 1, 1, 1)
    tell_what_moved()
    report(newcomer(), 1, 1, 1)
    assert (tell_what_moved(), len(heard(watched))) == (0, 2)

    later(11)
    tell_what_moved()

    assert len(heard(watched)) == 3


def test_who_has_no_report_yet_hears_too(newcomer: Any, watched: Recommendation) -> None:
    fresh = newcomer()
    tell_what_moved()
    report(newcomer(), 1, 1, 1)
    tell_what_moved()

    assert len(heard(fresh)) == 1


def test_a_course_that_ended_and_a_closed_diagnosis_hear_nothing(newcomer: Any, watched: Recommendation) -> None:
    Diagnosis.objects.filter(pk=watched.diagnosis_id).update(status="resolved")
    report(newcomer(), 1, 1, 1)

    assert tell_what_moved() == 0


def test_killed_in_between_it_goes_on(newcomer: Any, watched: Recommendation, monkeypatch: Any) -> None:
    other = newcomer()
    report(other, 5)
    later(20)
    tell_what_moved()
    later(20)
    before = [len(heard(one)) for one in (watched, other)]
    report(newcomer(), 1, 1, 1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(telling, "recalculate_diagnosis", one_time_only(telling.recalculate_diagnosis))
        with pytest.raises(SystemExit):
            tell_what_moved()

    assert tell_what_moved() == 1
    assert [len(heard(one)) for one in (watched, other)] == [count + 1 for count in before]


def one_time_only(work: Any) -> Any:
    calls: list[Any] = []

    def once(**kwargs: Any) -> Any:
        if calls:
            raise SystemExit
        calls.append(kwargs)
        return work(**kwargs)

    return once


@pytest.mark.django_db(transaction=True)
def test_the_worker_tells_within_five_seconds(newcomer: Any, watched: Recommendation, monkeypatch: Any) -> None:
    """Also when the round before it failed."""
    rounds = iter([InterfaceError("connection already closed")])

    def fail_once() -> int:
        if error := next(rounds, None):
            raise error
        return tell_what_moved()

    monkeypatch.setattr("analytics.work.tell_what_moved", fail_once)
    stop = Event()
    thread = Thread(target=work, args=[stop])
    thread.start()
    report(newcomer(), 1, 1, 1)
    deadline = monotonic() + 5
    while len(heard(watched)) < 2 and monotonic() < deadline:
        sleep(0.05)
    stop.set()
    thread.join(timeout=10)

    assert len(heard(watched)) == 2
