from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from predictions.engine import DamagedModel, Model, NotEnoughData, choose_scales, fit

SCALES = {"remedy": 0.7, "condition": 0.4, "distance": 1.0}
NAMES = ("mean", "lower", "upper", "cautious", "hopeful", "logit", "deviation")


def clinic(rows: int = 400, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows where the remedy matters much, the distance some, the condition not at all; some are absent."""
    random = np.random.default_rng(seed)
    remedy = random.integers(0, 8, rows)
    distance = random.random(rows)
    chances = expit(np.linspace(-2, 3, 8)[remedy] - distance)
    columns = {
        "remedy": np.array([f"remedy-{place}" for place in remedy], dtype=object),
        "condition": np.array(["", "cough", "زکام"])[random.integers(0, 3, rows)],
        "distance": np.where(random.random(rows) < 0.1, np.nan, distance),
    }
    return columns, (random.random(rows) < chances).astype(int)


COLUMNS, OUTCOMES = clinic()
MODEL = fit(COLUMNS, OUTCOMES, scales=SCALES)
STORED = MODEL.to_dict()


def one(**changes: object) -> dict[str, np.ndarray]:
    row = {"remedy": "remedy-3", "condition": "cough", "distance": 0.2} | changes
    return {name: np.array([value]) for name, value in row.items()}


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


def test_columns_the_model_does_not_know_are_ignored():
    assert MODEL.score(one(other="x")).mean == MODEL.score(one()).mean


def test_the_chance_of_reaching_a_target_is_the_normal_tail_of_the_logit():
    scores = MODEL.score(COLUMNS)
    drawn = expit(np.random.default_rng(0).normal(scores.logit[0], scores.deviation[0], 200_000))

    chances = scores.chance_of_reaching(0.6)

    assert chances.shape == OUTCOMES.shape
    assert chances[0] == pytest.approx((drawn >= 0.6).mean(), abs=0.005)
    assert (scores.chance_of_reaching(0.0) == 1).all() and (scores.chance_of_reaching(1.0) == 0).all()


@pytest.mark.parametrize("target", [-0.1, 1.1, math.nan])
def test_a_target_that_is_no_probability_is_refused(target):
    with pytest.raises(ValueError, match="target"):
        MODEL.score(one()).chance_of_reaching(target)


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
