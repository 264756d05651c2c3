from __future__ import annotations

import numpy as np
import pytest

from predictions.softening import softened

OUTCOMES = np.array([1.0, 1.0, 0.0, 0.0])
GRADES = np.array([5, 2, 2, 1])


def test_without_a_share_outcomes_stay_as_they_are():
    assert softened(OUTCOMES, GRADES, 0.0).tolist() == OUTCOMES.tolist()


def test_an_outcome_goes_its_share_of_the_way_to_what_its_grade_usually_means():
    # grade 2: one success of two, and two more reports as good as all: (1 + 2 · 0.5) / 4
    assert softened(OUTCOMES, GRADES, 0.6)[1] == pytest.approx(0.4 * 1 + 0.6 * 0.5)


def test_a_clear_success_counts_more_than_a_narrow_one():
    clear, narrow, *_ = softened(OUTCOMES, GRADES, 0.6)

    assert clear > narrow
