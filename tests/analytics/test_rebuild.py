from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from threading import Event
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics import rebuild
from analytics.fitting import fit_strength
from analytics.models import EffectivenessRollup, FittedPrior, SubjectPatient
from analytics.rebuild import check
from analytics.rollups import COLUMNS
from analytics.subjects import Kind
from avicenna.locks import only_one
from diagnoses.actions import create_patient
from feedback.actions import change, submit, withdraw
from feedback.models import Feedback
from tests.analytics import oracle
from tests.analytics.conftest import Step, play, steps

damages = st.lists(st.integers(0, 10_000), min_size=1, max_size=6)


def _damage(numbers: list[int]) -> None:
    """Breaks rows here and there: takes some away, falsifies others, invents some."""
    for place, number in enumerate(numbers):
        row = EffectivenessRollup.objects.order_by("pk")[number % EffectivenessRollup.objects.count()]
        seen = SubjectPatient.objects.order_by("pk")[number % SubjectPatient.objects.count()]
        match number % 6:
            case 0:
                row.delete()
            case 1:
                EffectivenessRollup.objects.filter(pk=row.pk).update(rating_sum=F("rating_sum") + 7)
            case 2:
                values = {column: 1 for column in COLUMNS}
                EffectivenessRollup.objects.get_or_create(kind=number % 6, key="1:2", day=date(2020, 1, 2), **values)
            case 3:
                seen.delete()
            case 4:
                SubjectPatient.objects.filter(pk=seen.pk).update(last_day=seen.last_day - timedelta(days=number))
            case 5:
                SubjectPatient.objects.filter(pk=seen.pk).update(key=f"{77 + place}")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps, numbers=damages)
def test_after_any_history_and_damage_a_rebuild_finds_what_the_feedback_says(
    history: list[Step], numbers: list[int], recommendations: list[Any], nausea: Any
) -> None:
    with transaction.atomic():
        submit(actor=None, recommendation_id=recommendations[0].pk, rating=5, symptom_improvement=5)
        play(history, recommendations, nausea)
        _damage(numbers)

        differ = oracle.stored() != oracle.computed()
        assert bool(check().count) == differ
        rebuild.rebuild()
        assert oracle.stored() == oracle.computed()
        assert check().count == 0
        transaction.set_rollback(True)


BREAKING: dict[str, Callable[[], object]] = {
    "a missing row": lambda: EffectivenessRollup.objects.filter(kind=Kind.REMEDY_MIZAJ).delete(),
    "a wrong sum": lambda: EffectivenessRollup.objects.filter(kind=Kind.RECOMMENDATION).update(rating_sum=1),
    "a row too many": lambda: EffectivenessRollup.objects.create(kind=Kind.REMEDY, key="9", day=date(2025, 1, 1), n=2),
    "a row of a kind there is not": lambda: EffectivenessRollup.objects.create(kind=99, day=date(2025, 1, 1), n=1),
    "a wrong last day": lambda: SubjectPatient.objects.filter(kind=Kind.CONDITION).update(last_day=date(2025, 1, 1)),
    "a missing patient": lambda: SubjectPatient.objects.filter(kind=Kind.EVERYTHING).delete(),
    "a patient too many": lambda: SubjectPatient.objects.create(
        kind=Kind.EVERYTHING, patient=create_patient(actor=None, full_name="Silent"), last_day=date(2025, 1, 1)
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", BREAKING)
def test_check_names_what_is_wrong_and_rebuild_mends_it(broken: str, recommendations: list[Any], capsys: Any) -> None:
    submit(actor=None, recommendation_id=recommendations[0].pk, rating=5, symptom_improvement=5)
    BREAKING[broken]()

    with pytest.raises(CommandError, match="1 differences"):
        call_command("rebuild_analytics", "--check")
    assert re.search(r": stored .*, computed .*", capsys.readouterr().out)
    call_command("rebuild_analytics")
    call_command("rebuild_analytics", "--check")

    assert re.search("^(1 rollups and 0|0 rollups and 1) patients", capsys.readouterr().out)
    assert oracle.stored() == oracle.computed()


def test_check_says_both_figures(recommendations: list[Any], capsys: Any) -> None:
    submit(actor=None, recommendation_id=recommendations[0].pk, rating=5, symptom_improvement=5)
    EffectivenessRollup.objects.filter(kind=Kind.REMEDY).update(rating_sum=1)

    with pytest.raises(CommandError):
        call_command("rebuild_analytics", "--check")

    said = capsys.readouterr().out
    assert said.startswith("remedy ")
    assert re.search(r"stored Sums\(.*rating_sum=1,.*computed Sums\(.*rating_sum=5,", said)


def test_of_many_differences_some_are_shown(recommendations: list[Any], nausea: Any, capsys: Any) -> None:
    play([("submit", n % 4, 3, n, 0) for n in range(12)], recommendations, nausea)
    EffectivenessRollup.objects.all().delete()

    with pytest.raises(CommandError, match=r"(\d+) differences") as stopped:
        call_command("rebuild_analytics", "--check")

    *shown, last = capsys.readouterr().out.splitlines()
    assert len(shown) == rebuild.SHOWN
    assert f"{len(shown) + int(last.split()[1])} differences" in str(stopped.value)


@pytest.mark.django_db(transaction=True)
def test_one_rebuild_at_a_time() -> None:
    def another() -> str:
        try:
            call_command("rebuild_analytics")
        except CommandError as error:
            return str(error)
        finally:
            connection.close()
        return "rebuilt"

    with ThreadPoolExecutor(1) as pool:
        with only_one(rebuild.REBUILD):
            assert pool.submit(another).result() == "A rebuild is running already."
        assert pool.submit(another).result() == "rebuilt"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", ["empty", "some missing", "wrong"])
def test_a_rebuild_beside_writers_loses_nothing(
    broken: str, recommendations: list[Any], nausea: Any, monkeypatch: Any
) -> None:
    """Patients report, change and withdraw all the while, and for a second between finding and mending."""
    mend, hesitated = rebuild.Figures.mend, set()

    def hesitate(figures: rebuild.Figures, places: tuple[int, int]) -> int:
        if figures not in hesitated:
            hesitated.add(figures)
            time.sleep(1)
        return mend(figures, places)

    monkeypatch.setattr(rebuild.Figures, "mend", hesitate)
    monkeypatch.setattr(rebuild, "CHUNK", 25)
    play([("submit", n % 4, 1 + n % 5, n % 25, n % 6) for n in range(60)], recommendations, nausea)
    _break(broken)
    stop = Event()
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(_keep_reporting, recommendation, nausea, stop) for recommendation in recommendations]
        try:
            rebuild.rebuild()
        finally:
            stop.set()
        written = sum(writer.result() for writer in writers)

    assert written
    assert oracle.stored() == oracle.computed()
    assert check().count == 0


def _break(how: str) -> None:
    if how == "empty":
        EffectivenessRollup.objects.all().delete()
        SubjectPatient.objects.all().delete()
    elif how == "some missing":
        EffectivenessRollup.objects.filter(day__day__lt=15).delete()
        SubjectPatient.objects.filter(kind__in=[Kind.REMEDY, Kind.EVERYTHING]).delete()
    else:
        EffectivenessRollup.objects.update(n=F("n") + 100, rating_sum=F("rating_sum") + 300)
        SubjectPatient.objects.update(last_day=date(2030, 1, 1))


def _keep_reporting(recommendation: Any, effect: Any, stop: Event) -> int:
    """How often it was done. What the broken figures cannot take in is refused, and leaves nothing behind."""
    chance, written = random.Random(recommendation.pk.hex), 0
    try:
        while not stop.is_set():
            with suppress(ValueError, IntegrityError):
                _write(recommendation, {effect: chance.randint(1, 5)}, chance)
                written += 1
        return written
    finally:
        connection.close()


def _write(recommendation: Any, effects: dict[Any, int], chance: random.Random) -> None:
    own = list(Feedback.objects.standing().filter(recommendation=recommendation))
    act = chance.choice(["submit", "change", "withdraw"])
    said = {"rating": chance.randint(1, 5), "side_effects": effects}
    if act == "submit" or not own:
        submit(actor=None, recommendation_id=recommendation.pk, symptom_improvement=3, **said)
    elif act == "change":
        change(actor=None, feedback=chance.choice(own), changes=said)
    else:
        withdraw(actor=None, feedback=chance.choice(own))


def test_the_prior_is_fitted_to_every_subject(recommendations: list[Any], nausea: Any) -> None:
    play([("submit", n % 4, 1 + n * n % 5, n % 20, 0) for n in range(43)], recommendations, nausea)

    call_command("rebuild_analytics", "--fit-prior")

    fitted = FittedPrior.objects.get()
    compared = _compared(recommendations)
    assert (fitted.reports, fitted.subjects) == (43, len(compared))
    assert fitted.strength == pytest.approx(fit_strength(*np.array(compared, dtype=float).T))


def _compared(recommendations: list[Any]) -> list[tuple[int, ...]]:
    """Reports and successes of each subject and of its parent; there is one condition."""
    reports = list(Feedback.objects.select_related("recommendation"))
    everything, rows = _counts(reports), []
    for remedy in {recommendation.remedy_id for recommendation in recommendations}:
        own = [report for report in reports if report.recommendation.remedy_id == remedy]
        rows += [(*_counts(own), *everything), (*_counts(own), *_counts(own))]
        each = [[report for report in own if report.recommendation == one] for one in recommendations]
        rows += [(*_counts(some), *_counts(own)) for some in each if some]
    return rows


def _counts(reports: list[Feedback]) -> tuple[int, int]:
    return len(reports), sum(report.is_success for report in reports)
