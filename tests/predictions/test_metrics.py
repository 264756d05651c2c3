from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictions.metrics import auc, brier, calibration_bins, calibration_error, log_loss

METRICS = [auc, brier, log_loss, calibration_error, calibration_bins]
CHANCES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1)
ROWS = st.lists(st.tuples(st.booleans(), CHANCES), min_size=1, max_size=40)


@given(ROWS)
def test_auc_counts_the_pairs_in_the_right_order(rows):
    good = [chance for success, chance in rows if success]
    bad = [chance for success, chance in rows if not success]
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(good, bad)]

    found = auc(*zip(*rows, strict=True))

    assert found == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)


@pytest.mark.parametrize("outcome", [0, 1])
def test_auc_of_one_class_is_none(outcome):
    assert auc([outcome] * 3, [0.1, 0.5, 0.9]) is None


@given(ROWS)
def test_brier_and_log_loss_are_means_over_the_rows(rows):
    squares = [(chance - success) ** 2 for success, chance in rows]
    losses = [-math.log(max(chance if success else 1 - chance, 1e-15)) for success, chance in rows]

    assert brier(*zip(*rows, strict=True)) == pytest.approx(sum(squares) / len(rows))
    assert log_loss(*zip(*rows, strict=True)) == pytest.approx(sum(losses) / len(rows))


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60, unique_by=lambda row: row[1]))
def test_calibration_error_against_a_plain_loop(rows):
    rows.sort(key=lambda row: row[1])
    size, longer = divmod(len(rows), 10)
    total, start = 0.0, 0
    for place in range(10):
        part = rows[start : start + size + (place < longer)]
        total += abs(sum(chance - success for success, chance in part))
        start += len(part)

    assert calibration_error(*zip(*rows, strict=True)) == pytest.approx(total / len(rows), abs=1e-12)


def test_calibration_bins_have_equal_counts_and_rise():
    chances = np.linspace(0, 1, 95)

    bins = calibration_bins(np.arange(95) % 2, chances)

    assert [part.count for part in bins] == [10] * 5 + [9] * 5
    assert [part.predicted for part in bins] == sorted(part.predicted for part in bins)


def test_equal_predictions_are_judged_together():
    outcomes = [1] * 70 + [0] * 30

    assert calibration_error(outcomes, [0.7] * 100) == pytest.approx(0)
    assert calibration_error(outcomes, [0.5] * 100) == pytest.approx(0.2)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))

    for metric in (auc, brier, log_loss, calibration_error):
        before, after = metric(*zip(*rows, strict=True)), metric(*zip(*shuffled, strict=True))
        assert before == pytest.approx(after, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("outcomes", "probabilities", "message"),
    [
        ([], [], "no outcomes"),
        ([1, 0], [0.5], "one length"),
        ([[1, 0]], [[0.5, 0.5]], "one-dimensional"),
        ([2, 0], [0.5, 0.5], "0 or 1"),
        ([1, math.nan], [0.5, 0.5], "0 or 1"),
        ([1, 0], [0.5, math.nan], "from 0 to 1"),
        ([1, 0], [0.5, 1.1], "from 0 to 1"),
    ],
)
def test_unusable_input_is_refused(metric, outcomes, probabilities, message):
    with pytest.raises(ValueError, match=message):
        metric(outcomes, probabilities)


def test_bins_must_be_positive():
    with pytest.raises(ValueError, match="bins"):
        calibration_bins([1, 0], [0.5, 0.5], bins=0)
