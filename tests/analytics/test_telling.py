"""What some report, others who were recommended the same remedy hear of: soon, and not all the time."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InterfaceError
from django.utils import timezone

from analytics import telling
from analytics.models import Due, EffectivenessRollup, Told
from analytics.subjects import EVERYTHING, Kind, Subject
from analytics.telling import tell_what_moved
from avicenna.work import Job, work
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


def test_of_two_remedies_that_moved_at_once_a_diagnosis_hears_one_after_the_other(
    newcomer: Any, watched: Recommendation, bob: Any, violet: Any
) -> None:
    other = recommend(actor=bob, diagnosis=watched.diagnosis, remedy=violet)
    report(other, 5)
    later(20)
    tell_what_moved()
    later(20)
    of_mint = newcomer()
    report(of_mint, 1, 1, 1)
    report(recommend(actor=bob, diagnosis=of_mint.diagnosis, remedy=violet), 1, 1, 1)
    counts = [len(heard(watched))]

    for _ in range(2):
        tell_what_moved()
        tell_what_moved()
        counts.append(len(heard(watched)))
        later(20)

    assert counts == [2, 3, 4]


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
def test_the_worker_tells_within_five_seconds(newcomer: Any, watched: Recommendation) -> None:
    """Also when the round before it failed, and when other work always does."""
    rounds = iter([InterfaceError("connection already closed")])

    def fail_once() -> int:
        if error := next(rounds, None):
            raise error
        return tell_what_moved()

    def fail() -> None:
        raise InterfaceError("connection already closed")

    stop = Event()
    thread = Thread(target=work, args=[stop, [Job("failing", fail), Job("telling", fail_once)]])
    thread.start()
    report(newcomer(), 1, 1, 1)
    deadline = monotonic() + 5
    while len(heard(watched)) < 2 and monotonic() < deadline:
        sleep(0.05)
    stop.set()
    thread.join(timeout=10)

    assert len(heard(watched)) == 2


# ── a changed trend ─────────────────────────────────────────────────────────────────────────────────────────────────


def add_reports(recommendation: Recommendation, days_ago: int, n: int, successes: int) -> None:
    """What others reported on its remedy for its condition, only in the sums: hundreds of reports at once."""
    remedy, condition = recommendation.remedy_id, recommendation.diagnosis.condition_id
    day = timezone.localdate() - timedelta(days=days_ago)
    for subject in (Subject.remedy_condition(remedy, condition), Subject.remedy(remedy), EVERYTHING):
        row, _ = EffectivenessRollup.objects.get_or_create(kind=subject.kind, key=subject.key, day=day)
        row.n, row.successes = row.n + n, row.successes + successes
        row.save()


def pass_a_day() -> None:
    for row in EffectivenessRollup.objects.order_by("day"):
        row.day -= timedelta(days=1)
        row.save()
    Told.objects.exclude(day=None).update(day=timezone.localdate() - timedelta(days=1))
    later(24 * 3600)


@pytest.fixture
def level(newcomer: Any) -> list[Recommendation]:
    """Two recommendations, all told; a few more successes of others turn the trend and move no score by a point."""
    two = [newcomer(), newcomer()]
    for recommendation in two:
        report(recommendation, 5)
    add_reports(two[0], days_ago=60, n=400, successes=200)
    add_reports(two[0], days_ago=1, n=110, successes=63)
    later(20)
    tell_what_moved()
    later(20)
    tell_what_moved()
    later(20)
    assert tell_what_moved() == 0
    return two


def turn(recommendation: Recommendation) -> None:
    add_reports(recommendation, days_ago=0, n=5, successes=5)


def test_a_changed_trend_is_told_though_no_score_moved_by_a_point(level: Any) -> None:
    before = [heard(one) for one in level]
    turn(level[0])

    assert tell_what_moved() == 2

    for one, told in zip(level, before, strict=True):
        *same, newest = heard(one)
        assert same == told and abs(newest - told[-1]) < 0.01
    later(20)
    assert tell_what_moved() == 0


def test_a_trend_is_told_once_even_while_others_must_wait(level: Any) -> None:
    first, busy = level
    before = len(heard(first))
    report(busy, 5)
    turn(first)
    tell_what_moved()
    assert len(heard(first)) == before + 1

    for _ in range(3):  # reports go on, and the busy one is never quiet
        later(20)
        report(busy, 5, 1)
        tell_what_moved()

    assert len(heard(first)) == before + 1


def test_who_had_to_wait_hears_of_the_trend_later(level: Any) -> None:
    first, second = level
    turn(first)
    DiagnosisEvent.objects.filter(diagnosis=second.diagnosis_id).update(created_at=timezone.now())
    before = len(heard(second))
    assert tell_what_moved() == 1
    assert len(heard(second)) == before

    later(11)

    assert tell_what_moved() == 1
    assert len(heard(second)) == before + 1


def test_the_report_that_turns_the_trend_is_not_told_twice(level: Any) -> None:
    before = [len(heard(one)) for one in level]

    report(level[0], 5, 5, 5)
    told = tell_what_moved()
    later(20)

    assert (told, tell_what_moved()) == (1, 0)
    assert [len(heard(one)) for one in level] == [before[0] + 3, before[1] + 1]
    assert not Due.objects.exists()


def test_a_trend_that_changes_with_the_days_is_told(level: Any) -> None:
    first = level[0]
    add_reports(first, days_ago=29, n=30, successes=0)
    add_reports(first, days_ago=0, n=14, successes=14)
    tell_what_moved()
    later(20)
    tell_what_moved()
    later(20)
    assert tell_what_moved() == 0

    pass_a_day()  # thirty failures are no longer recent

    assert tell_what_moved() == 2
    assert tell_what_moved() == 0


def test_killed_in_between_a_trend_is_told_once_to_each(level: Any, monkeypatch: Any) -> None:
    before = [len(heard(one)) for one in level]
    turn(level[0])
    with monkeypatch.context() as patch:
        patch.setattr(telling, "recalculate_diagnosis", one_time_only(telling.recalculate_diagnosis))
        with pytest.raises(SystemExit):
            tell_what_moved()
    later(20)

    assert tell_what_moved() == 1
    assert [len(heard(one)) for one in level] == [count + 1 for count in before]


def test_a_course_that_ended_is_not_due_any_more(level: Any) -> None:
    first, ended = level
    turn(first)
    DiagnosisEvent.objects.filter(diagnosis=ended.diagnosis_id).update(created_at=timezone.now())
    tell_what_moved()
    assert Due.objects.get().recommendation == ended

    Recommendation.objects.filter(pk=ended.pk).update(status="stopped")
    turn(first)

    assert tell_what_moved() == 0
    assert not Due.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_stood_before_trends_were_told_counts_as_told(level: Any) -> None:
    Told.objects.filter(kind=Kind.REMEDY_CONDITION).update(trend="declining")  # long ago
    call_command("migrate", "analytics", "0003", verbosity=0)
    call_command("migrate", "analytics", verbosity=0)

    assert tell_what_moved() == 0
    pass_a_day()
    assert tell_what_moved() == 0
    turn(level[0])
    assert tell_what_moved() == 2
