"""Which report is held against which prediction: the same however, whenever and by how many it is looked for."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avicenna.jobs import JOBS
from avicenna.work import work
from diagnoses.actions import create_patient, recommend, record_diagnosis
from feedback.actions import change, withdraw
from predictions.matching import Matching, match
from predictions.models import PredictionRecord
from tests.predictions.showing import belonging, matched, report, show

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def test_the_first_report_after_it_was_shown_is_its_outcome(recommendation: Any) -> None:
    report(recommendation, 1, at=ago(60))
    show(recommendation, 0.6, at=ago(50))
    first = report(recommendation, 4, at=ago(40))
    report(recommendation, 1, at=ago(30))

    assert match(LONG_AGO) == 1

    record = PredictionRecord.objects.get()
    assert (record.feedback, record.reported_at) == (first, first.created_at)
    assert match(LONG_AGO) == 0


def test_a_report_belongs_to_what_was_shown_last_before_it(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(50))
    show(recommendation, 0.7, at=ago(40))
    given_then = report(recommendation, 4, at=ago(35))
    show(recommendation, 0.6, at=ago(30))

    match(LONG_AGO)

    assert [record.feedback for record in PredictionRecord.objects.order_by("number")] == [None, given_then, None]


def test_looking_again_does_not_move_an_outcome(recommendation: Any) -> None:
    """What is shown again goes on being shown since the first time: a report in between belongs to it."""
    show(recommendation, 0.6, at=ago(3 * 24 * 60))
    report(recommendation, 4, at=ago(60))
    show(recommendation, 0.6)

    assert match(LONG_AGO) == 1


def test_a_change_and_a_withdrawal_do_not_move_it(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(50))
    first, second = report(recommendation, 4, at=ago(40)), report(recommendation, 4, at=ago(30))
    withdraw(actor=None, feedback=first)
    change(actor=None, feedback=second, changes={"rating": 1})

    match(LONG_AGO)

    assert PredictionRecord.objects.get().feedback == first


def test_an_earlier_report_that_comes_in_late_takes_its_place(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(50))
    report(recommendation, 4, at=ago(30))
    match(LONG_AGO)
    earlier = report(recommendation, 2, at=ago(40))

    assert match(LONG_AGO) == 1
    assert PredictionRecord.objects.get().feedback == earlier


def test_rounds_go_on_where_the_last_one_ended(recommendation: Any, django_assert_num_queries: Any) -> None:
    rounds = Matching()
    rounds()  # there is nothing yet
    show(recommendation, 0.6)
    report(recommendation, 4)
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 2):
        rounds()
    assert matched() == belonging() != {}


def test_another_process_catches_up(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(60 * 24 * 20))
    report(recommendation, 4, at=ago(60 * 24 * 19))
    show(recommendation, 0.7, at=ago(60 * 24 * 10))
    report(recommendation, 4, at=ago(60 * 24 * 9))

    Matching()()

    assert len(matched()) == 2


@pytest.fixture
def recommendations(bob: Any, headache: Any, mint: Any, violet: Any) -> list[Any]:
    found = []
    for _ in range(2):
        patient = create_patient(actor=None, full_name="P", care_team=[bob])
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        found += [recommend(actor=bob, diagnosis=diagnosis, remedy=remedy) for remedy in (mint, violet)]
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(
        st.tuples(st.sampled_from(["show", "report", "late", "match"]), st.integers(0, 3), st.integers(1, 4)),
        max_size=25,
    )
)
def test_it_is_what_plain_loops_find(recommendations: Any, history: Any) -> None:
    """Also when reports come in late, and whenever it was looked for in between."""
    with transaction.atomic():
        for place, (act, which, how) in enumerate(history):
            now = ago(60 * (len(history) - place))
            if act == "show":
                show(recommendations[which], how / 5, at=now)
            elif act == "match":
                match(LONG_AGO)
            else:
                report(recommendations[which], how, at=now - timedelta(hours=how if act == "late" else 0))
        match(LONG_AGO)
        assert matched() == belonging()
        transaction.set_rollback(True)


def test_killed_in_the_middle_nothing_is_half_done(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(50))
    report(recommendation, 4)
    with pytest.raises(SystemExit), transaction.atomic():
        match(LONG_AGO)
        raise SystemExit
    assert matched() == {}

    match(LONG_AGO)

    assert matched() == belonging() != {}


def in_its_own_session(job: Any) -> Any:
    """`job()` in a connection that ends with it."""

    def done() -> Any:
        try:
            return job()
        finally:
            connection.close()

    return done


def wait_for_who_waits() -> int:
    """The process of the session that waits for a lock."""
    with connection.cursor() as cursor:
        for _ in range(400):
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw at first
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if found := cursor.fetchone():
                return int(found[0])
            sleep(0.05)
    raise AssertionError("nobody waits")


on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_the_second_finds_it_done(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(50))
    report(recommendation, 4)
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            assert match(LONG_AGO) == 1
            second = other.submit(in_its_own_session(lambda: match(LONG_AGO)))
            wait_for_who_waits()
        assert second.result() == 0

    assert matched() == belonging() != {}


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_run_that_only_the_second_of_two_sees_takes_its_report_over(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(50))
    report(recommendation, 4)
    with ThreadPoolExecutor(2) as others:
        with transaction.atomic():
            assert match(LONG_AGO) == 1
            others.submit(in_its_own_session(lambda: show(recommendation, 0.7, at=ago(10)))).result()
            second = others.submit(in_its_own_session(lambda: match(LONG_AGO)))
            wait_for_who_waits()
        assert second.result() == 1

    assert matched() == belonging() != {}


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_killed_leaves_it_to_the_next(recommendation: Any) -> None:
    show(recommendation, 0.6, at=ago(50))
    report(recommendation, 4)
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            PredictionRecord.objects.select_for_update().get()
            second = other.submit(in_its_own_session(lambda: match(LONG_AGO)))
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [wait_for_who_waits()])
        with pytest.raises(OperationalError):
            second.result()
    assert matched() == {}

    assert match(LONG_AGO) == 1


@pytest.mark.django_db(transaction=True)
def test_a_report_that_is_not_committed_yet_is_found_by_a_later_round(recommendation: Any) -> None:
    rounds = Matching()
    show(recommendation, 0.6)
    rounds()
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            report(recommendation, 4)
            if connection.vendor == "postgresql":
                other.submit(in_its_own_session(rounds)).result()
        assert matched() == {}
        rounds()

    assert matched() == belonging() != {}


@pytest.mark.django_db(transaction=True)
def test_several_at_once_while_people_look_and_report(recommendations: Any) -> None:
    stop = Event()

    def clinic(seed: int) -> None:
        rng = random.Random(seed)
        try:
            for _ in range(25):
                if rng.random() < 0.5:
                    show(rng.choice(recommendations), rng.randint(1, 9) / 10)
                else:
                    report(rng.choice(recommendations), rng.randint(1, 5))
        finally:
            connection.close()

    def matchers() -> int:
        found = 0
        try:
            while not stop.is_set():
                found += match(ago(5))
        finally:
            connection.close()
        return found

    with ThreadPoolExecutor(5) as threads:
        rounds = [threads.submit(matchers) for _ in range(2)]
        list(threads.map(clinic, range(3)))
        stop.set()
        [one.result() for one in rounds]

    match(LONG_AGO)
    assert len(matched()) > 5
    assert all(one.feedback.recommendation_id == one.recommendation_id for one in PredictionRecord.objects.exclude(
        feedback=None).select_related("feedback"))  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_worker_finds_it_within_five_seconds(recommendation: Any) -> None:
    stop = Event()
    thread = Thread(target=work, args=[stop, JOBS])
    thread.start()
    show(recommendation, 0.6)
    report(recommendation, 4)
    deadline = monotonic() + 5
    while not matched() and monotonic() < deadline:
        sleep(0.05)
    stop.set()
    thread.join(timeout=10)

    assert matched() == belonging() != {}
