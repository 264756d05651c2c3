"""Fitting and scoring, held against the same done the long way and against random draws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from predictions.engine import Model, choose_scales, fit
from tests.predictions.engine_clinic import COLUMNS, MODEL, NAMES, OUTCOMES, SCALES, one


def dense() -> tuple[np.ndarray, np.ndarray]:
    """The design matrix and prior precisions that `fit` must have used, built the long way."""
    blocks, precisions = [np.ones(len(OUTCOMES))], [1 / 10.0**2]
    for name, values in COLUMNS.items():
        tokens = sorted(set(values.tolist()) - {""}) if name != "distance" else [None]
        for token in tokens:
            centered = values - np.nanmean(values) if token is None else values
            blocks.append(np.nan_to_num(centered) if token is None else (values == token).astype(float))
            precisions.append(1 / SCALES[name] ** 2)
    return np.column_stack(blocks), np.array(precisions)


def test_mode_and_deviations_are_those_of_a_dense_newton():
    design, precisions = dense()
    mode = np.zeros(len(precisions))
    for _ in range(50):
        chances = expit(design @ mode)
        hessian = (design.T * (chances * (1 - chances))) @ design + np.diag(precisions)
        mode -= np.linalg.solve(hessian, design.T @ (chances - OUTCOMES) + precisions * mode)

    means = np.concatenate([[MODEL.intercept], *(group.means for group in MODEL.groups)])
    variances = np.concatenate([[MODEL.intercept_variance], *(group.variances for group in MODEL.groups)])
    assert means[1:] == pytest.approx(mode[1:], abs=1e-4)
    assert np.sqrt(variances) == pytest.approx(np.diag(hessian) ** -0.5, rel=1e-4)


def test_the_mean_prediction_is_the_mean_outcome():
    weights = 1.0 + np.arange(len(OUTCOMES)) % 3

    model = fit(COLUMNS, OUTCOMES, scales=SCALES, weights=weights)

    assert np.average(model.score(COLUMNS).mean, weights=weights) == pytest.approx(
        np.average(OUTCOMES, weights=weights)
    )
    assert model.intercept > 0 and MODEL.score(COLUMNS).mean.mean() == pytest.approx(OUTCOMES.mean())


def test_contributions_and_intercept_sum_to_the_logit():
    scores = MODEL.score(COLUMNS)

    total = scores.intercept + sum(scores.contributions.values())
    assert total == pytest.approx(scores.logit)
    assert set(scores.contributions) == set(SCALES)


def test_quantiles_are_ordered_and_between_nought_and_one():
    scores = MODEL.score(COLUMNS)

    ordered = np.stack([scores.lower, scores.cautious, scores.mean, scores.hopeful, scores.upper])
    assert (np.diff(ordered, axis=0) > 0).all()
    assert 0 < ordered.min() < ordered.max() < 1


def test_quantiles_are_those_of_the_normal_logit():
    scores = MODEL.score(one(remedy="never seen"))
    draws = expit(np.random.default_rng(0).normal(scores.logit, scores.deviation, 200_000))

    found = [getattr(scores, name)[0] for name in ("lower", "cautious", "hopeful", "upper")]
    assert found == pytest.approx(np.quantile(draws, [0.025, 0.1, 0.9, 0.975]), abs=0.01)


@pytest.mark.parametrize("target", [0.3, 0.7, 0.95])
def test_the_chance_of_reaching_a_target_is_the_share_of_draws_above_it(target):
    scores = MODEL.score(COLUMNS)
    draws = np.random.default_rng(0).normal(scores.logit, scores.deviation, (20_000, len(OUTCOMES)))

    assert scores.chance_of_reaching(target) == pytest.approx((expit(draws) >= target).mean(axis=0), abs=0.02)


def test_nought_is_always_reached_and_one_never():
    scores = MODEL.score(COLUMNS)

    assert (scores.chance_of_reaching(0) == 1).all()
    assert (scores.chance_of_reaching(1) == 0).all()
    with pytest.raises(ValueError, match="target"):
        scores.chance_of_reaching(1.01)


def test_the_mean_is_drawn_to_a_half_by_uncertainty():
    sure, unsure = (Model(1.5, variance, ()).score(one()).mean[0] for variance in (1e-9, 4.0))

    draws = expit(np.random.default_rng(0).normal(1.5, 2.0, 200_000))
    assert sure == pytest.approx(expit(1.5))
    assert unsure == pytest.approx(draws.mean(), abs=0.015)


def test_an_unseen_token_adds_its_prior_variance_and_no_mean():
    seen, unseen, absent = (MODEL.score(one(remedy=token)) for token in ("remedy-3", "never seen", ""))

    assert unseen.contributions["remedy"][0] == 0
    assert unseen.deviation[0] ** 2 - absent.deviation[0] ** 2 == pytest.approx(SCALES["remedy"] ** 2)
    assert unseen.upper[0] - unseen.lower[0] > seen.upper[0] - seen.lower[0]


@given(st.text(min_size=1).filter(lambda token: token not in set(COLUMNS["remedy"])))
def test_any_unseen_token_is_scored(token):
    scores = MODEL.score({name: values.astype(object) for name, values in one().items()} | one(distance=0.2))
    unseen = MODEL.score(one() | {"remedy": np.array([token], dtype=object)})

    assert unseen.deviation[0] > scores.deviation[0]


def test_an_absent_number_stands_at_the_mean():
    absent, mean = (MODEL.score(one(distance=number)) for number in (math.nan, np.nanmean(COLUMNS["distance"])))

    assert absent.contributions["distance"][0] == 0
    assert absent.logit[0] == pytest.approx(mean.logit[0])
    assert absent.deviation[0] < MODEL.score(one(distance=1.0)).deviation[0]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_the_rows_leaves_no_trace(seed):
    order = np.random.default_rng(seed).permutation(len(OUTCOMES))

    shuffled = fit({name: COLUMNS[name][order] for name in COLUMNS}, OUTCOMES[order], scales=SCALES)

    assert [group.tokens for group in shuffled.groups] == [group.tokens for group in MODEL.groups]
    assert shuffled.score(COLUMNS).logit == pytest.approx(MODEL.score(COLUMNS).logit, abs=1e-5)


def test_a_row_of_weight_two_is_two_rows_and_of_weight_nought_none():
    weights = np.arange(len(OUTCOMES)) % 3

    weighted = fit(COLUMNS, OUTCOMES, scales=SCALES, weights=weights)

    repeated = {name: np.repeat(values, weights) for name, values in COLUMNS.items()}
    expected = fit(repeated, np.repeat(OUTCOMES, weights), scales=SCALES)
    assert weighted.score(COLUMNS).logit == pytest.approx(expected.score(COLUMNS).logit, abs=1e-4)
    assert weighted.score(COLUMNS).deviation == pytest.approx(expected.score(COLUMNS).deviation, abs=1e-4)


def test_a_group_of_scale_nought_is_left_out():
    model = fit(COLUMNS, OUTCOMES, scales=SCALES | {"condition": 0})

    assert [group.name for group in model.groups] == ["remedy", "distance"]
    assert model.score(one()).logit == pytest.approx(model.score(one(condition="other")).logit)


def test_without_any_group_the_overall_rate_remains():
    model = fit(COLUMNS, OUTCOMES, scales=dict.fromkeys(COLUMNS, 0.0))

    assert model.score(COLUMNS).mean == pytest.approx(np.full(len(OUTCOMES), OUTCOMES.mean()), abs=1e-3)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_perfectly_separated_rows_give_a_finite_model(scale):
    columns = {"remedy": np.array(["good", "bad"] * 50), "distance": np.tile([1e4, -1e4], 50)}

    scores = fit(columns, [1, 0] * 50, scales={"remedy": scale, "distance": scale}).score(columns)

    assert np.isfinite(scores.logit).all()
    assert scores.mean[0] > scores.mean[1]


def test_no_rows_are_scored_as_no_rows():
    scores = MODEL.score({name: np.array([]) for name in SCALES})

    assert all(getattr(scores, name).shape == (0,) for name in NAMES)


def test_columns_the_model_does_not_know_are_ignored():
    assert MODEL.score(one(other="x")).mean == MODEL.score(one()).mean


def test_the_chance_of_reaching_a_target_is_the_normal_tail_of_the_logit():
    scores = MODEL.score(COLUMNS)
    drawn = expit(np.random.default_rng(0).normal(scores.logit[0], scores.deviation[0], 200_000))

    chances = scores.chance_of_reaching(0.6)

    assert chances.shape == OUTCOMES.shape
    assert chances[0] == pytest.approx((drawn >= 0.6).mean(), abs=0.005)
    assert (scores.chance_of_reaching(0.0) == 1).all() and (scores.chance_of_reaching(1.0) == 0).all()


def test_a_token_multiplies_the_odds():
    group = next(group for group in MODEL.groups if group.name == "remedy")

    with_it, without = MODEL.score(one()).logit[0], MODEL.score(one(remedy="")).logit[0]
    assert group.odds_factor("remedy-3") == pytest.approx(math.exp(with_it - without))
    assert group.odds_factor("unheard of") is None and group.odds_factor("") is None


def test_chosen_scales_keep_what_matters_and_drop_noise():
    random = np.random.default_rng(1)
    noise = np.array([f"noise-{place}" for place in random.integers(0, 100, len(OUTCOMES))])

    scales = choose_scales(COLUMNS | {"noise": noise}, OUTCOMES, seed=0, grid=(0.0, 0.5, 1.0, 2.0))

    assert scales["remedy"] >= 1.0
    assert scales["noise"] == 0
    assert scales == choose_scales(COLUMNS | {"noise": noise}, OUTCOMES, seed=0, grid=(0.0, 0.5, 1.0, 2.0))
