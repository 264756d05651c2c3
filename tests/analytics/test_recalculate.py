from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from analytics.actions import RECALCULATION, recalculate_diagnosis
from analytics.fitting import fit_strength
from analytics.models import FittedPrior
from avicenna.locks import only_one
from feedback.actions import submit
from realtime.models import DiagnosisEvent

ADDRESS = "/api/analytics/recalculate"


@pytest.fixture
def outdated(recommendation: Any) -> Any:
    """A recommendation whose score stands on reports that have left the window since."""
    for _ in range(3):
        submit(actor=None, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1, at=days_ago(120))
    recommendation.effectiveness_score = 0.1
    recommendation.save()
    return recommendation


def in_a_thread(work: Callable[[], Any]) -> Any:
    """With a database connection of its own, as another process would have."""

    def alone() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(alone).result()


def days_ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)


def test_a_score_is_brought_up_to_date_and_told(api: Any, bob: Any, outdated: Any) -> None:
    (row,) = api(bob).post(ADDRESS, {"recommendations": [str(outdated.pk)]}).json()

    outdated.refresh_from_db()
    assert (row["previous_score"], row["effectiveness"]["effectiveness_score"]) == (0.1, 0.5)
    assert outdated.effectiveness_score == 0.5
    told = DiagnosisEvent.objects.filter(diagnosis=outdated.diagnosis_id).latest("seq")
    assert (told.type, told.payload["previous_score"]) == ("effectiveness_update", 0.1)


def test_a_score_that_stands_is_not_told_again(api: Any, bob: Any, outdated: Any) -> None:
    heads = []
    for _ in range(2):
        api(bob).post(ADDRESS, {"recommendations": [str(outdated.pk)]})
        outdated.diagnosis.refresh_from_db()
        heads.append(outdated.diagnosis.head)

    assert heads[0] == heads[1]


def test_what_one_may_not_see_is_named_and_nothing_is_done(api: Any, charlie: Any, outdated: Any) -> None:
    answer = api(charlie).post(ADDRESS, {"recommendations": [str(outdated.pk)]})

    assert answer.status_code == 400
    assert answer.json()["error"]["fields"]["recommendations"] == [f"There is no recommendation {outdated.pk}."]


def test_a_hundred_at_once_are_enough(api: Any, bob: Any, outdated: Any) -> None:
    assert api(bob).post(ADDRESS, {"recommendations": [str(outdated.pk)] * 101}).status_code == 400
    assert api(bob).post(ADDRESS, {"recommendations": []}).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_two_do_not_run_at_once(api: Any, bob: Any, outdated: Any) -> None:
    with only_one(RECALCULATION) as alone:
        assert alone
        answer = in_a_thread(lambda: api(bob).post(ADDRESS, {"recommendations": [str(outdated.pk)]}))
        with pytest.raises(CommandError, match="running already"):
            in_a_thread(lambda: call_command("recalculate_effectiveness"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_running")
    call_command("recalculate_effectiveness")


def test_the_command_brings_everything_up_to_date(outdated: Any, capsys: Any) -> None:
    call_command("recalculate_effectiveness")
    call_command("recalculate_effectiveness")

    assert capsys.readouterr().out.splitlines() == [
        "1 recommendations of 1 diagnoses, 1 scores moved.",
        "1 recommendations of 1 diagnoses, 0 scores moved.",
    ]


@pytest.mark.parametrize("strength", [2.0, 10.0, 60.0])
def test_the_strength_is_found_again_in_what_it_made(strength: float) -> None:
    random = np.random.default_rng(1037)
    n = random.integers(5, 60, 3_000).astype(float)
    successes = random.binomial(n.astype(int), random.beta(strength * 0.6, strength * 0.4, 3_000)).astype(float)

    found = fit_strength(n, successes, np.full(3_000, n.sum()), np.full(3_000, successes.sum()))

    assert found == pytest.approx(strength, rel=0.15)


def test_a_fitted_prior_is_used_from_then_on(api: Any, alice: Any, recommendation: Any, capsys: Any) -> None:
    submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5)
    address = f"/api/analytics/recommendations/{recommendation.pk}"
    before = api(alice).get(address).json()["effectiveness_score"]

    FittedPrior.objects.create(strength=500, subjects=1, reports=1)

    assert api(alice).get(address).json()["effectiveness_score"] < before


def test_without_feedback_there_is_nothing_to_fit(db: None) -> None:
    with pytest.raises(CommandError, match="not enough feedback"):
        call_command("rebuild_analytics", fit_prior=True)


@pytest.mark.parametrize("days", [0, 29, 30, 89, 90, 200])
def test_a_report_leaves_the_score_that_a_recalculation_finds(recommendation: Any, days: int) -> None:
    for rating in (5, 1, 4):
        submit(actor=None, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3, at=days_ago(days))

    [rescored] = recalculate_diagnosis(diagnosis_id=recommendation.diagnosis_id)

    assert rescored.previous == rescored.finding.estimate.score
