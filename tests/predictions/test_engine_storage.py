"""A stored model scores as before; what cannot be one is called damaged."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictions.engine import DamagedModel, Model, fit
from tests.predictions.engine_clinic import COLUMNS, MODEL, NAMES, SCALES, clinic

STORED = MODEL.to_dict()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(20, 60))
def test_a_stored_model_scores_identically(seed, rows):
    columns, outcomes = clinic(rows, seed)
    outcomes[:2] = [0, 1]
    model = fit(columns, outcomes, scales=SCALES)

    restored = Model.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))

    before, after = model.score(COLUMNS), restored.score(COLUMNS)
    assert all(np.array_equal(getattr(before, name), getattr(after, name)) for name in NAMES)


def damaged(path: str, value: object) -> dict[str, object]:
    stored = copy.deepcopy(STORED)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = stored
    for step in parents:
        place = place[step]
    place[last] = value
    return stored


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("format", 1, "format"),
        ("format", True, "format"),
        ("extra", 1, "exactly"),
        ("intercept", math.nan, "finite"),
        ("intercept", "0.5", "numbers"),
        ("intercept_variance", 0, "positive"),
        ("groups", {}, "list"),
        ("groups.0", None, "exactly"),
        ("groups.0.name", "", "name"),
        ("groups.0.name", "condition", "same name"),
        ("groups.0.scale", 0, "positive"),
        ("groups.0.scale", math.inf, "finite"),
        ("groups.0.scale", True, "numbers"),
        ("groups.0.scale", 1e-3, "at most"),
        ("groups.0.tokens", "mint", "list"),
        ("groups.0.tokens", None, "as many"),
        ("groups.0.tokens.0", 7, "strings"),
        ("groups.0.tokens.0", "", "empty"),
        ("groups.0.tokens.0", "remedy-7", "sorted"),
        ("groups.0.tokens.0", "remedy-1", "distinct"),
        ("groups.0.means", [0.5], "as many"),
        ("groups.0.means.0", 10**400, "beyond"),
        ("groups.0.means.0", [0.5], "numbers"),
        ("groups.0.variances.0", -0.1, "above 0"),
        ("groups.0.variances.0", 0.5, "at most"),
    ],
)
def test_a_damaged_model_is_refused(path, value, message):
    with pytest.raises(DamagedModel, match=message):
        Model.from_dict(damaged(path, value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PATHS = ["format", "intercept", "intercept_variance", "groups", "groups.0", "groups.0.means.0"]
PATHS += [f"groups.0.{name}" for name in ("name", "scale", "tokens", "means", "variances")]


@given(st.sampled_from(PATHS), JSON)
def test_whatever_is_stored_it_can_be_scored_or_is_called_damaged(path, value):
    try:
        model = Model.from_dict(damaged(path, value))
    except DamagedModel:
        return
    scores = model.score({group.name: COLUMNS.get(group.name, COLUMNS["remedy"]) for group in model.groups} | COLUMNS)
    assert all(np.isfinite(getattr(scores, name)).all() for name in NAMES)
