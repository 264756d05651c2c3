"""What the engine refuses: too little to learn from, and columns, arguments, targets and searches of no use."""

from __future__ import annotations

import math

import numpy as np
import pytest

from predictions.engine import NotEnoughData, choose_scales, fit
from tests.predictions.engine_clinic import COLUMNS, MODEL, OUTCOMES, SCALES, one


@pytest.mark.parametrize(
    ("rows", "outcomes", "message"),
    [(19, OUTCOMES[:19], "19 rows"), (30, [1] * 30, "same outcome"), (30, [0] * 30, "same outcome")],
)
def test_too_little_to_learn_from_is_its_own_error(rows, outcomes, message):
    columns = {name: values[:rows] for name, values in COLUMNS.items()}

    with pytest.raises(NotEnoughData, match=message):
        fit(columns, outcomes, scales=SCALES)
    with pytest.raises(NotEnoughData, match=message):
        choose_scales(columns, outcomes, seed=0)


def test_rows_without_weight_do_not_count_as_data():
    with pytest.raises(NotEnoughData, match="10 rows"):
        fit(COLUMNS, OUTCOMES, scales=SCALES, weights=np.arange(len(OUTCOMES)) < 10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"remedy": COLUMNS["remedy"][:-1]}, "one length"),
        ({"remedy": COLUMNS["remedy"].reshape(2, -1)}, "one-dimensional"),
        ({"remedy": np.where(COLUMNS["remedy"] == "remedy-1", None, COLUMNS["remedy"])}, "text"),
        ({"distance": np.full(len(OUTCOMES), np.inf)}, "beyond"),
        ({"distance": np.full(len(OUTCOMES), 1j)}, "numbers"),
        ({"unscaled": COLUMNS["distance"]}, "no scale"),
    ],
)
def test_unusable_columns_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        fit(COLUMNS | changes, OUTCOMES, scales=SCALES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outcomes": OUTCOMES[:-1]}, "outcomes"),
        ({"outcomes": OUTCOMES * 2}, "outcomes"),
        ({"weights": -np.ones(len(OUTCOMES))}, "weights"),
        ({"weights": np.full(len(OUTCOMES), np.nan)}, "weights"),
        ({"scales": SCALES | {"remedy": -1.0}}, "scale"),
        ({"scales": SCALES | {"remedy": math.nan}}, "scale"),
    ],
)
def test_unusable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(COLUMNS, **({"outcomes": OUTCOMES, "scales": SCALES} | arguments))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({name: values for name, values in one().items() if name != "remedy"}, "missing"),
        (one(remedy=1.0), "text"),
        (one(distance="near"), "numbers"),
        (one(distance=math.inf), "beyond"),
        ({}, "one or more"),
    ],
)
def test_columns_that_do_not_fit_the_model_are_not_scored(columns, message):
    with pytest.raises(ValueError, match=message):
        MODEL.score(columns)


@pytest.mark.parametrize("target", [-0.1, 1.1, math.nan])
def test_a_target_that_is_no_probability_is_refused(target):
    with pytest.raises(ValueError, match="target"):
        MODEL.score(one()).chance_of_reaching(target)


@pytest.mark.parametrize(
    "arguments",
    [
        {"folds": 1},
        {"folds": 401},
        {"grid": ()},
        {"grid": (0.0,)},
        {"grid": (-1.0, 1.0)},
        {"grid": (math.inf,)},
    ],
)
def test_an_unusable_search_is_refused(arguments):
    with pytest.raises(ValueError, match=r"grid|folds"):
        choose_scales(COLUMNS, OUTCOMES, seed=0, **arguments)
