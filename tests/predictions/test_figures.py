"""Each figure says how much of it may be chance: held against many repetitions of chance."""

from __future__ import annotations

from itertools import product
from statistics import mean
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from predictions.figures import ALLOWED_ERROR, figures
from predictions.metrics import auc_spread, calibration, calibration_error, mean_spread

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 1000).map(lambda n: n / 1000), st.integers(0, 9)), min_size=2, max_size=40
)


def draw(rng: Any, rows: int, off_by: float = 0.0, per_patient: int = 1) -> tuple[Any, Any, Any]:
    """Outcomes of predictions that are too high by `off_by`; a patient's rows go the same way more than chance."""
    chances = rng.beta(6, 3, size=rows).round(3)
    luck = 0.6 * np.repeat(rng.normal(size=rows // per_patient), per_patient) + 0.8 * rng.normal(size=rows)
    happened = ndtr(luck) < np.clip(chances - off_by, 0, 1)
    return happened.astype(float), chances, np.repeat(np.arange(rows // per_patient), per_patient)


@pytest.mark.parametrize(
    ("rows", "per_patient"),
    [(100, 1), *(pytest.param(*one, marks=pytest.mark.thorough) for one in [(800, 1), (400, 4)])],
)
def test_true_probabilities_show_the_error_of_chance_and_are_not_accused(rows: int, per_patient: int) -> None:
    rng = np.random.default_rng(7)
    found = [calibration(*draw(rng, rows, per_patient=per_patient)) for _ in range(300)]

    assert mean(one.by_chance for one in found) == pytest.approx(mean(one.error for one in found), rel=0.1)
    assert mean(one.at_least > 0 for one in found) < 0.09  # one of twenty is meant
    assert mean(one.at_least > ALLOWED_ERROR for one in found) < 0.05


@pytest.mark.thorough
def test_one_chance_for_all_is_not_accused_either() -> None:
    """Its bins all show the same."""
    rng = np.random.default_rng(7)
    found = [calibration(rng.random(60) < 0.6, [0.6] * 60) for _ in range(500)]

    assert 0.02 < mean(one.at_least > 0 for one in found) < 0.09


@pytest.mark.parametrize("rows", [400, *(pytest.param(rows, marks=pytest.mark.thorough) for rows in (100, 1600))])
def test_the_allowed_error_raises_no_alarm(rows: int) -> None:
    rng = np.random.default_rng(7)
    found = [calibration(*draw(rng, rows, ALLOWED_ERROR)) for _ in range(300)]

    assert mean(one.at_least > ALLOWED_ERROR for one in found) < 0.09


@pytest.mark.parametrize(("rows", "off_by", "found_in"), [(400, 0.15, 0.9), (800, 0.10, 0.75)])
def test_a_large_error_is_found(rows: int, off_by: float, found_in: float) -> None:
    rng = np.random.default_rng(7)
    found = [calibration(*draw(rng, rows, off_by)) for _ in range(200)]

    assert mean(one.at_least > ALLOWED_ERROR for one in found) > found_in
    assert all(0 <= one.at_least <= one.error for one in found)


@given(ROWS)
def test_the_error_and_the_bins_are_those_of_the_plain_metric(rows: Any) -> None:
    outcomes, chances, patients = zip(*rows, strict=True)

    found = calibration(outcomes, chances, patients)

    assert found.error == pytest.approx(calibration_error(outcomes, chances), abs=1e-12)
    assert len(found.spreads) == len(found.bins) and sum(part.count for part in found.bins) == len(rows)


@given(ROWS, st.integers(2, 4))
def test_saying_the_same_several_times_makes_nothing_surer(rows: Any, times: int) -> None:
    once, often = (zip(*(rows * many), strict=True) for many in (1, times))
    (outcomes, chances, patients), (outcomes_often, chances_often, patients_often) = once, often

    before, after = auc_spread(outcomes, chances, patients), auc_spread(outcomes_often, chances_often, patients_often)

    assert after == (None if before is None else pytest.approx(before, abs=1e-9))
    spread = mean_spread(chances, patients)
    assert mean_spread(chances_often, patients_often) == (None if spread is None else pytest.approx(spread, abs=1e-9))


@given(ROWS)
def test_the_spread_of_auc_is_that_of_comparing_all_pairs(rows: Any) -> None:
    good = [chance for success, chance, _ in rows if success]
    bad = [chance for success, chance, _ in rows if not success]
    if not good or not bad:
        assert auc_spread(*list(zip(*rows, strict=True))[:2]) is None
        return
    wins = {(i, j): (a > b) + (a == b) / 2 for (i, a), (j, b) in product(enumerate(good), enumerate(bad))}
    area = sum(wins.values()) / len(wins)
    of_good = [mean(wins[i, j] for j in range(len(bad))) - area for i in range(len(good))]
    of_bad = [mean(wins[i, j] for i in range(len(good))) - area for j in range(len(bad))]
    variance = sum(x * x for x in of_good) / len(good) ** 2 + sum(x * x for x in of_bad) / len(bad) ** 2

    found = auc_spread(*list(zip(*rows, strict=True))[:2])

    assert found == pytest.approx((variance * len(rows) / (len(rows) - 1)) ** 0.5, abs=1e-9)


@pytest.mark.parametrize(("rows", "per_patient"), [(400, 1), (400, 4)])
def test_intervals_hold_the_truth(rows: int, per_patient: int) -> None:
    rng = np.random.default_rng(7)
    truth = figures(*draw(rng, 200_000, 0.1, per_patient))

    found = [figures(*draw(rng, rows, 0.1, per_patient)) for _ in range(200)]

    for name in ("auc", "bias", "brier", "skill"):
        value = getattr(truth, name).value
        held = mean(low <= value <= high for low, high in (getattr(one, name).interval for one in found))
        assert 0.89 < held <= 1, name


def test_the_overall_rate_has_no_skill_and_true_chances_have_some() -> None:
    outcomes, chances, _ = draw(np.random.default_rng(7), 2000)
    rate = outcomes.mean()

    assert figures(outcomes, np.full(2000, rate)).skill.value == pytest.approx(0, abs=1e-9)  # type: ignore[union-attr]
    assert figures(outcomes, chances).skill.interval[0] > 0  # type: ignore[union-attr,index]


@pytest.mark.parametrize(("rows", "off_by", "verdict"), [(40, 0, "too_few"), (4000, 0, "in_line"), (4000, 0.2, "off")])
def test_the_verdict_needs_enough_to_say(rows: int, off_by: float, verdict: str) -> None:
    assert figures(*draw(np.random.default_rng(7), rows, off_by)).verdict == verdict


def test_where_there_are_too_few_there_is_no_interval() -> None:
    found = figures([1] * 9 + [0] * 20, [0.5] * 29)
    assert (found.auc.value, found.auc.interval, found.bias.interval) == (0.5, None, None)  # type: ignore[union-attr]

    assert figures([1, 1], [0.5, 0.6]).auc is figures([1, 1], [0.5, 0.6]).skill is None
    one_patient = figures([1, 0] * 20, [0.5] * 40, [0] * 40)
    assert (one_patient.patients, one_patient.brier.interval) == (1, None)
