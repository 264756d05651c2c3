"""What is learned between trainings is what a dense Newton learns, and it only ever makes surer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from tests.predictions.engine_clinic import COLUMNS, MODEL, clinic, one


def news(rows: int = 12) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows the model has not seen, with tokens it has not seen."""
    columns, outcomes = clinic(rows, seed=7)
    columns["remedy"][:4] = "new"
    columns["condition"] = columns["condition"].astype(object)
    columns["condition"][2:6] = "rare"
    return columns, outcomes


def dense_update(
    asked: dict[str, np.ndarray], learned: dict[str, np.ndarray], outcomes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the asked logits after Newton over every coefficient, from the model's as the prior."""
    means, variances = [MODEL.intercept], [MODEL.intercept_variance]
    designs = [[np.ones((len(columns["remedy"]), 1))] for columns in (asked, learned)]
    for group in MODEL.groups:
        tokens = [*(group.tokens or [group.name]), "new", "rare"]
        means += [*group.means, 0.0, 0.0]
        variances += [*group.variances, group.scale**2, group.scale**2]
        for columns, design in zip((asked, learned), designs, strict=True):
            values = columns[group.name]
            if group.tokens is None:
                design.append(np.outer(np.nan_to_num(values - group.center), [1.0, 0.0, 0.0]))
            else:
                design.append((values[:, None] == np.array(tokens, dtype=object)).astype(float))
    rows, seen = (np.column_stack(design) for design in designs)
    prior, precision = np.array(means), np.diag(1 / np.array(variances))
    mode = prior.copy()
    for _ in range(50):
        chances = expit(seen @ mode)
        hessian = (seen.T * (chances * (1 - chances))) @ seen + precision
        mode -= np.linalg.solve(hessian, seen.T @ (chances - outcomes) + precision @ (mode - prior))
    return rows @ mode, np.sqrt(np.einsum("ij,jk,ik->i", rows, np.linalg.inv(hessian), rows))


def test_what_is_learned_between_trainings_is_what_a_dense_newton_learns():
    learned, outcomes = news()
    asked = {name: values[:6].astype(object) if name != "distance" else values[:6] for name, values in COLUMNS.items()}
    asked["remedy"][:2] = "new"

    scores = MODEL.score(asked, since=(learned, outcomes))

    logit, deviation = dense_update(asked, learned, outcomes)
    assert scores.logit == pytest.approx(logit, abs=1e-6)
    assert scores.deviation == pytest.approx(deviation, abs=1e-6)
    assert scores.intercept + sum(scores.contributions.values()) == pytest.approx(scores.logit)


def test_what_is_learned_leaves_the_model_as_it_is():
    before = MODEL.score(COLUMNS).logit

    MODEL.score(one(), since=news())

    assert np.array_equal(MODEL.score(COLUMNS).logit, before)


@pytest.mark.parametrize("outcome", [0, 1])
def test_twenty_equal_reports_on_a_new_remedy_move_it_their_way_and_make_it_surer(outcome):
    learned = {name: np.repeat(values, 20) for name, values in one(remedy="new").items()}

    before, after = MODEL.score(one(remedy="new")), MODEL.score(one(remedy="new"), since=(learned, [outcome] * 20))

    assert (after.mean[0] > before.mean[0]) == outcome
    assert after.deviation[0] < before.deviation[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["remedy-0", "remedy-7", "new", ""]), st.booleans()), max_size=30))
def test_learning_only_ever_makes_surer(reports):
    texts = np.array([remedy for remedy, _ in reports], dtype=object)
    learned = {"remedy": texts, "condition": np.full(len(texts), "", dtype=object), "distance": np.zeros(len(texts))}

    scores = MODEL.score(COLUMNS, since=(learned, [success for _, success in reports]))

    assert np.isfinite(scores.logit).all()
    assert (scores.deviation <= MODEL.score(COLUMNS).deviation + 1e-9).all()
