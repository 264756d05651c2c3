"""Hierarchical logistic regression on groups of one-hot features, with honest uncertainty.

The success of a recommendation is modelled as

    logit P(success) = intercept + sum over groups g of  b[g, token of the row in g]

with an independent Normal(0, scale_g ** 2) prior on every coefficient of group g. A group with many rare
tokens (remedy x condition) leans on its parents (remedy, condition) by as much as its scale says. The fit is
the posterior mode; its spread is the diagonal Laplace approximation, 1 / (diagonal of the Hessian).

Sources: D. MacKay, "The evidence framework applied to classification networks" (Neural Computation 4, 1992)
for the posterior mean of a probability; O. Chapelle and L. Li, "An empirical evaluation of Thompson
sampling" (NIPS 2011), algorithm 3, for the diagonal Laplace approximation of a sparse logistic regression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, ndtr
from scipy.special import logit as log_odds

from predictions.design_matrix import (
    Coded,
    Column,
    Columns,
    FloatArray,
    check_scales,
    checked_grid,
    checked_outcomes,
    checked_weights,
    coded_numbers,
    joined,
    row_count,
    texts_of,
)
from predictions.learning import learn
from predictions.posterior import NotEnoughData, Problem, mean_chance
from predictions.selection import Search
from predictions.stored_model import DamagedModel, fields_of, finite, group_fields

__all__ = [
    "Columns",
    "DamagedModel",
    "Group",
    "Model",
    "NotEnoughData",
    "Scores",
    "chance_of_reaching",
    "choose_scales",
    "fit",
]

FORMAT = 2
GRID = (0.0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0)

Z_95 = 1.959964
Z_80 = 1.281552
MAX_SWEEPS = 3
# Rounding must not leave a difference of variances below nought.
SMALLEST_VARIANCE = 1e-12

# The columns of some rows, and 0 or 1 for each.
Outcomes = tuple[Columns, ArrayLike]


@dataclass(frozen=True, eq=False)
class Scores:
    """What the model says of n rows; every array has shape (n,) and, but for the last three, range 0..1.

    `mean` is the posterior mean of the probability of success, `lower` and `upper` its central 95 % interval,
    `cautious` and `hopeful` its 10 % and 90 % quantiles. `logit` and `deviation` are the posterior mean and
    standard deviation on the logit scale; `intercept` plus the sum of `contributions` is `logit`.
    """

    mean: FloatArray
    lower: FloatArray
    upper: FloatArray
    cautious: FloatArray
    hopeful: FloatArray
    logit: FloatArray
    deviation: FloatArray
    intercept: float
    contributions: dict[str, FloatArray]

    def chance_of_reaching(self, target: float) -> FloatArray:
        """Posterior probability, 0..1, that the probability of success is at least `target`, 0..1; shape (n,)."""
        return chance_of_reaching(self.logit, self.deviation, target)


@dataclass(frozen=True, eq=False)
class Touched:
    """The coefficients of one group that some rows use: means and variances (u,), and the rows' factors (n, u)."""

    means: FloatArray
    variances: FloatArray
    rows: FloatArray


@dataclass(frozen=True, eq=False)
class Group:
    """Coefficients of one group: one per token, or a single one where `tokens` is None (a numeric group).

    A numeric group counts from `center`, the mean of what it was fitted to: a row without a number stands there.
    """

    name: str
    scale: float
    tokens: list[str] | None
    means: FloatArray
    variances: FloatArray
    center: float = 0.0
    _positions: dict[str, int] = field(init=False, repr=False)
    _padded: tuple[FloatArray, FloatArray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Two more places behind the tokens: an absent token says nothing, an unseen one has only its prior.
        labels = [self.name] if self.tokens is None else self.tokens
        padded = (np.append(self.means, [0.0, 0.0]), np.append(self.variances, [0.0, self.scale**2]))
        object.__setattr__(self, "_positions", {token: place for place, token in enumerate(labels)})
        object.__setattr__(self, "_padded", padded)

    def terms(self, values: Column) -> tuple[FloatArray, FloatArray]:
        """Mean and variance, each (n,), of what this group adds to the logits of n rows.

        Raises ValueError where the column is not of the group's kind.
        """
        column = self._coded(values)
        means, variances = self._coefficients(column)
        factors = np.ones(len(column.codes)) if column.factors is None else column.factors
        return means[column.codes] * factors, variances[column.codes] * factors**2

    def touched(self, values: Column) -> Touched:
        """For a few rows with few labels. Raises as `terms` does."""
        column = self._coded(values)
        means, variances = self._coefficients(column)
        rows = np.zeros((len(column.codes), len(means)))
        rows[np.arange(len(rows)), column.codes] = 1.0 if column.factors is None else column.factors
        return Touched(means, variances, rows)

    def _coded(self, values: Column) -> Coded:
        if self.tokens is None:
            return coded_numbers(self.name, values, self.center)
        return values if isinstance(values, Coded) else Coded.of(texts_of(self.name, values))

    def _coefficients(self, column: Coded) -> tuple[FloatArray, FloatArray]:
        """Mean and variance for each label of a column, and last for no token at all."""
        absent = len(self.means)
        find = self._positions.get
        places = [*(find(label, absent + 1) for label in column.labels), absent]
        means, variances = self._padded
        return means[places], variances[places]

    def odds_factor(self, token: str) -> float | None:
        """What the odds of success are multiplied by for a token; None for one never seen in training."""
        place = self._positions.get(token)
        return None if not token or place is None else float(np.exp(self.means[place]))

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "scale": self.scale,
            "tokens": self.tokens,
            "means": self.means.tolist(),
            "variances": self.variances.tolist(),
            "center": self.center,
        }


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model: an intercept and the groups that were kept."""

    intercept: float
    intercept_variance: float
    groups: tuple[Group, ...]

    def score(self, columns: Columns, since: Outcomes | None = None) -> Scores:
        """Score n rows (n may be 0) given as one column of length n per group.

        Columns the model does not use are ignored. A token never seen in training adds nothing to the mean
        and its group's whole prior variance, so cold starts get wide intervals; "" and NaN add neither.
        `since` holds a few rows (some ten; the cost is cubic) that the model has not seen, and their outcomes: the
        scores are those after learning from them, and the model stays as it is.
        Raises ValueError when a group's column is missing, of the wrong kind or length, or beyond 1e12.
        """
        rows = row_count(columns)
        self._check(columns)
        if since is not None:
            return self._score_after(columns, since)
        logit, variance = np.full(rows, self.intercept), np.full(rows, self.intercept_variance)
        contributions: dict[str, FloatArray] = {}
        for group in self.groups:
            added, spread = group.terms(columns[group.name])
            contributions[group.name] = added
            logit += added
            variance += spread
        return _scores(logit, variance, self.intercept, contributions)

    def _score_after(self, columns: Columns, since: Outcomes) -> Scores:
        """The coefficients that the rows touch learn from the last ones, which have had their outcomes."""
        learned, outcomes = since[0], checked_outcomes(since[1], row_count(since[0]))
        self._check(learned)
        asked = row_count(columns)
        touched = [group.touched(joined(columns[group.name], learned[group.name])) for group in self.groups]
        ones = np.ones((asked + len(outcomes), 1))
        touched.insert(0, Touched(np.array([self.intercept]), np.array([self.intercept_variance]), ones))
        rows = np.concatenate([part.rows for part in touched], axis=1)
        means = np.concatenate([part.means for part in touched])
        variances = np.concatenate([part.variances for part in touched])
        covariance = (rows * variances) @ rows[asked:].T
        lesson = learn(rows[asked:] @ means, covariance[asked:], outcomes)
        means = means + variances * (lesson.pull @ rows[asked:])
        asking, shared = rows[:asked], covariance[:asked]
        spread = asking**2 @ variances - ((shared @ lesson.narrowing) * shared).sum(axis=1)
        ends = np.cumsum([len(part.means) for part in touched])
        contributions = {
            group.name: asking[:, start:end] @ means[start:end]
            for group, start, end in zip(self.groups, ends, ends[1:], strict=False)
        }
        return _scores(asking @ means, np.maximum(spread, SMALLEST_VARIANCE), float(means[0]), contributions)

    def _check(self, columns: Columns) -> None:
        for group in self.groups:
            if group.name not in columns:
                raise ValueError(f"column {group.name!r} is missing")

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON-native lists, numbers and strings; `from_dict` gives back identical scores."""
        return {
            "format": FORMAT,
            "intercept": self.intercept,
            "intercept_variance": self.intercept_variance,
            "groups": [group.to_dict() for group in self.groups],
        }

    @classmethod
    def from_dict(cls, stored: object) -> Self:
        """Rebuild what `to_dict` wrote, trusting nothing. Raises DamagedModel saying what is wrong."""
        fields = fields_of(stored, {"format", "intercept", "intercept_variance", "groups"}, "model")
        if type(fields["format"]) is not int or fields["format"] != FORMAT:
            raise DamagedModel(f"model: format {fields['format']!r} is not {FORMAT}")
        intercept, variance = finite([fields["intercept"], fields["intercept_variance"]], "intercept").tolist()
        if variance <= 0:
            raise DamagedModel("intercept: its variance must be positive")
        if not isinstance(fields["groups"], list):
            raise DamagedModel("model: groups must be a list")
        groups = tuple(Group(**group_fields(group)) for group in fields["groups"])
        if len({group.name for group in groups}) < len(groups):
            raise DamagedModel("model: two groups have the same name")
        return cls(intercept, variance, groups)


def fit(
    columns: Columns,
    outcomes: ArrayLike,
    *,
    scales: Mapping[str, float],
    weights: ArrayLike | None = None,
    start: Model | None = None,
) -> Model:
    """Fit the model to n rows: posterior mode and diagonal Laplace variance of every coefficient.

    The intercept is not that of the mode but the one with which the mean of the predictions is that of the outcomes.

    `columns` holds one array of length n per group. Text (str or object) has one token per row, "" for
    absent; numbers have one coefficient for the group, NaN for absent, and should be of the order of 1, as
    the prior is on their coefficient. `outcomes` is 0 or 1 per row, or between, `weights` (default 1) at
    least 0.
    `scales` gives every column its prior standard deviation on the logit scale, 1e-6 to 1e6; 0 leaves the
    group out. The order of the rows does not matter. A model of nearly the same rows as `start` saves time.

    Raises NotEnoughData below 20 rows of positive weight or when they have one outcome only, and ValueError
    on columns, outcomes, weights or scales that break these rules.
    """
    check_scales(columns, scales)
    weighting = checked_weights(weights, row_count(columns))
    used = {name: columns[name] for name in columns if scales[name] > 0}
    problem = Problem.build(used, columns, outcomes, weighting)
    problem.check_enough(weighting)
    means = problem.solve(scales, weighting, _coefficients(start, problem) if start else None)
    variances = problem.variances(means, scales, weighting)
    groups = []
    for name, place in problem.places.items():
        tokens, center = problem.tokens[name], problem.centers[name]
        groups.append(Group(name, float(scales[name]), tokens, means[place], variances[place], center))
    intercept = float(means[0]) + problem.balance(means, variances, weighting)
    return Model(intercept, float(variances[0]), tuple(groups))


def _coefficients(model: Model, problem: Problem) -> FloatArray:
    """Those of `model` in the order of `problem`, 0 where it has none."""
    means = np.zeros(problem.matrix.shape[1])
    means[0] = model.intercept
    for group in model.groups:
        if (place := problem.places.get(group.name)) and (tokens := problem.tokens[group.name]):
            known = dict(zip(group.tokens or [], group.means, strict=False))
            means[place] = [known.get(token, 0.0) for token in tokens]
    return means


def choose_scales(
    columns: Columns,
    outcomes: ArrayLike,
    *,
    seed: int,
    folds: int = 5,
    grid: Iterable[float] = GRID,
) -> dict[str, float]:
    """Pick each group's prior scale by cross-validated log loss; 0 (allowed where `grid` has it) leaves the group out.

    From scales that make the outcomes likely, the groups that do not help are left out, the last columns first (so that
    of two that say the same the earlier stays); each is tuned in turn until a sweep gains nothing (at most 3 sweeps);
    those that now do help come back, and all are tuned once more. Chance must not choose: a group and a step of a scale
    each have to gain something. The same arguments always give the same scales, of `grid` or the likely ones within
    it. The cost is some hundred fits: above some ten thousand
    rows give a sample, and one of whole patients, for a sample of rows leaves each patient one row and makes the
    patient's group look worthless. Raises as `fit` does, and ValueError on an unusable grid or number of folds.
    """
    steps = checked_grid(grid)
    rows = row_count(columns)
    Problem.build({}, columns, outcomes, np.ones(rows)).check_enough(np.ones(rows))
    if not 2 <= folds <= rows:
        raise ValueError("folds must be from 2 to the number of rows")
    search = Search(columns, outcomes, np.random.default_rng(seed).permutation(rows) % folds, steps)
    scales = search.tuned(search.helpful(), MAX_SWEEPS)
    completed = search.completed(scales)
    # What came back takes over from others.
    scales = search.tuned(completed, MAX_SWEEPS) if completed != scales else scales
    return dict.fromkeys(columns, 0.0) | scales


def chance_of_reaching(logit: ArrayLike, deviation: ArrayLike, target: float) -> FloatArray:
    """P(expit(x) >= target), 0..1, for x ~ Normal(logit, deviation ** 2), elementwise; `deviation` is above 0.

    `target` may be 0 (always reached) and 1 (never). Raises ValueError outside 0..1.
    """
    if not 0 <= target <= 1:
        raise ValueError("target must be from 0 to 1")
    chances: FloatArray = ndtr((np.asarray(logit) - log_odds(target)) / np.asarray(deviation))
    return chances


def _scores(logit: FloatArray, variance: FloatArray, intercept: float, contributions: dict[str, FloatArray]) -> Scores:
    deviation = np.sqrt(variance)
    return Scores(
        mean=mean_chance(logit, variance),
        lower=expit(logit - Z_95 * deviation),
        upper=expit(logit + Z_95 * deviation),
        cautious=expit(logit - Z_80 * deviation),
        hopeful=expit(logit + Z_80 * deviation),
        logit=logit,
        deviation=deviation,
        intercept=intercept,
        contributions=contributions,
    )
