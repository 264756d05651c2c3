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
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr

from predictions.design_matrix import (
    Columns,
    FloatArray,
    check_scales,
    checked_grid,
    checked_weights,
    numbers_of,
    row_count,
    texts_of,
)
from predictions.posterior import CrossValidation, NotEnoughData, Problem, mean_chance
from predictions.stored_model import DamagedModel, fields_of, finite, group_fields

__all__ = ["Columns", "DamagedModel", "Group", "Model", "NotEnoughData", "Scores", "choose_scales", "fit"]

FORMAT = 1
GRID = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5)

Z_95 = 1.959964
Z_80 = 1.281552
MAX_SWEEPS = 4


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
        """Posterior probability, 0..1, that the probability of success is at least `target`; shape (n,).

        Raises ValueError for a target outside 0..1.
        """
        if not 0 <= target <= 1:
            raise ValueError("target must be from 0 to 1")
        chances: FloatArray = ndtr((self.logit - logit(target)) / self.deviation)
        return chances


@dataclass(frozen=True, eq=False)
class Group:
    """Coefficients of one group: one per token, or a single one where `tokens` is None (a numeric group)."""

    name: str
    scale: float
    tokens: list[str] | None
    means: FloatArray
    variances: FloatArray
    _positions: dict[str, int] = field(init=False, repr=False)
    _padded: tuple[FloatArray, FloatArray] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Two more places behind the tokens: an absent token says nothing, an unseen one has only its prior.
        tokens = self.tokens or []
        positions = {token: place for place, token in enumerate([*tokens, ""])}
        padded = (np.append(self.means, [0.0, 0.0]), np.append(self.variances, [0.0, self.scale**2]))
        object.__setattr__(self, "_positions", positions)
        object.__setattr__(self, "_padded", padded)

    def terms(self, values: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Mean and variance, each (n,), of what this group adds to the logits of n rows."""
        if self.tokens is None:
            numbers = np.nan_to_num(numbers_of(self.name, values), nan=0.0)
            return self.means[0] * numbers, self.variances[0] * numbers**2
        unseen = len(self._positions)
        find = self._positions.get
        places = np.array([find(token, unseen) for token in texts_of(self.name, values)], dtype=np.intp)
        means, variances = self._padded
        return means[places], variances[places]

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "scale": self.scale,
            "tokens": self.tokens,
            "means": self.means.tolist(),
            "variances": self.variances.tolist(),
        }


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model: an intercept and the groups that were kept."""

    intercept: float
    intercept_variance: float
    groups: tuple[Group, ...]

    def score(self, columns: Columns) -> Scores:
        """Score n rows (n may be 0) given as one array of length n per group.

        Columns the model does not use are ignored. A token never seen in training adds nothing to the mean
        and its group's whole prior variance, so cold starts get wide intervals; "" and NaN add neither.
        Raises ValueError when a group's column is missing, of the wrong kind or length, or beyond 1e12.
        """
        rows = row_count(columns)
        logit = np.full(rows, self.intercept)
        variance = np.full(rows, self.intercept_variance)
        contributions: dict[str, FloatArray] = {}
        for group in self.groups:
            if group.name not in columns:
                raise ValueError(f"column {group.name!r} is missing")
            added, spread = group.terms(columns[group.name])
            contributions[group.name] = added
            logit += added
            variance += spread
        return _scores(logit, np.sqrt(variance), self.intercept, contributions)

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
) -> Model:
    """Fit the model to n rows: posterior mode and diagonal Laplace variance of every coefficient.

    `columns` holds one array of length n per group. Text (str or object) has one token per row, "" for
    absent; numbers have one coefficient for the group, NaN for absent, and should be of the order of 1, as
    the prior is on their coefficient. `outcomes` is 0 or 1 per row, `weights` (default 1) at least 0.
    `scales` gives every column its prior standard deviation on the logit scale, 1e-6 to 1e6; 0 leaves the
    group out. The order of the rows does not matter.

    Raises NotEnoughData below 20 rows of positive weight or when they have one outcome only, and ValueError
    on columns, outcomes, weights or scales that break these rules.
    """
    check_scales(columns, scales)
    problem = Problem.build({name: columns[name] for name in columns if scales[name] > 0}, columns, outcomes)
    weighting = checked_weights(weights, problem.rows)
    problem.check_enough(weighting)
    means = problem.solve(scales, weighting)
    variances = problem.variances(means, scales, weighting)
    groups = []
    for name, place in problem.places.items():
        tokens = problem.tokens[name]
        groups.append(Group(name, float(scales[name]), tokens, means[place], variances[place]))
    return Model(float(means[0]), float(variances[0]), tuple(groups))


def choose_scales(
    columns: Columns,
    outcomes: ArrayLike,
    *,
    seed: int,
    folds: int = 5,
    grid: Iterable[float] = GRID,
) -> dict[str, float]:
    """Pick each group's prior scale from `grid` by cross-validated log loss; 0 means: leave the group out.

    Coordinate search from the middle of the grid, one group at a time in the order of `columns`, until a
    whole sweep gains nothing (at most 4 sweeps). The same arguments always give the same scales. The cost is
    about groups x grid x folds x 3 fits: above some ten thousand rows give a sample, and one of whole
    patients, for a sample of rows leaves each patient one row and makes the patient's group look worthless.
    Raises as `fit` does, and ValueError on an unusable grid or number of folds.
    """
    steps = checked_grid(grid)
    problem = Problem.build(columns, columns, outcomes)
    problem.check_enough(np.ones(problem.rows))
    if not 2 <= folds <= problem.rows:
        raise ValueError("folds must be from 2 to the number of rows")
    trial = CrossValidation(problem, np.random.default_rng(seed).permutation(problem.rows) % folds)
    scales = dict.fromkeys(columns, steps[len(steps) // 2])
    best = trial.loss(scales)
    for _ in range(MAX_SWEEPS):
        before = best
        for name in columns:
            scales, best = trial.improve(scales, best, name, steps)
        if best >= before:
            break
    return scales


def _scores(logit: FloatArray, deviation: FloatArray, intercept: float, contributions: dict[str, FloatArray]) -> Scores:
    return Scores(
        mean=mean_chance(logit, deviation**2),
        lower=expit(logit - Z_95 * deviation),
        upper=expit(logit + Z_95 * deviation),
        cautious=expit(logit - Z_80 * deviation),
        hopeful=expit(logit + Z_80 * deviation),
        logit=logit,
        deviation=deviation,
        intercept=intercept,
        contributions=contributions,
    )
