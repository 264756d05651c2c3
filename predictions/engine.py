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
from scipy import optimize, sparse
from scipy.special import expit

FloatArray = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

FORMAT = 1
MIN_ROWS = 20
GRID = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5)

# Beyond these, squares and sums of them would overflow or vanish, and a model could not be scored.
LARGEST = 1e12
SMALLEST_SCALE, LARGEST_SCALE = 1e-6, 1e6
# On the logit scale a standard deviation of 10 leaves the overall rate to the data, yet keeps it finite.
INTERCEPT_SCALE = 10.0
Z_95 = 1.959964
Z_80 = 1.281552
MAX_SWEEPS = 4
# Two log losses (per row) closer than this differ by the solver's tolerance, not by merit.
LOSS_TOLERANCE = 1e-6


class NotEnoughData(ValueError):
    """Too few rows, or only one of the two outcomes: nothing can be learned."""


class DamagedModel(ValueError):
    """A stored model that is not one `Model.to_dict` has written."""


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
            numbers = np.nan_to_num(_numbers(self.name, values), nan=0.0)
            return self.means[0] * numbers, self.variances[0] * numbers**2
        unseen = len(self._positions)
        find = self._positions.get
        places = np.array([find(token, unseen) for token in _texts(self.name, values)], dtype=np.intp)
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
        rows = _row_count(columns)
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
        fields = _fields(stored, {"format", "intercept", "intercept_variance", "groups"}, "model")
        if type(fields["format"]) is not int or fields["format"] != FORMAT:
            raise DamagedModel(f"model: format {fields['format']!r} is not {FORMAT}")
        intercept, variance = _finite([fields["intercept"], fields["intercept_variance"]], "intercept").tolist()
        if variance <= 0:
            raise DamagedModel("intercept: its variance must be positive")
        if not isinstance(fields["groups"], list):
            raise DamagedModel("model: groups must be a list")
        groups = tuple(_group_from_dict(group) for group in fields["groups"])
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
    _check_scales(columns, scales)
    problem = _Problem.build({name: columns[name] for name in columns if scales[name] > 0}, columns, outcomes)
    weighting = _weights(weights, problem.rows)
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
    steps = _steps(grid)
    problem = _Problem.build(columns, columns, outcomes)
    problem.check_enough(np.ones(problem.rows))
    if not 2 <= folds <= problem.rows:
        raise ValueError("folds must be from 2 to the number of rows")
    trial = _CrossValidation(problem, np.random.default_rng(seed).permutation(problem.rows) % folds)
    scales = dict.fromkeys(columns, steps[len(steps) // 2])
    best = trial.loss(scales)
    for _ in range(MAX_SWEEPS):
        before = best
        for name in columns:
            scales, best = trial.improve(scales, best, name, steps)
        if best >= before:
            break
    return scales


@dataclass(frozen=True, eq=False)
class _Problem:
    """Rows encoded once as a sparse matrix whose first column is the intercept, ready for many fits."""

    matrix: sparse.csr_array
    squares: sparse.csr_array
    outcomes: FloatArray
    places: dict[str, slice]
    tokens: dict[str, list[str] | None]

    @classmethod
    def build(cls, used: Columns, columns: Columns, outcomes: ArrayLike) -> Self:
        rows = _row_count(columns)
        places: dict[str, slice] = {}
        tokens: dict[str, list[str] | None] = {}
        blocks = [sparse.csr_array(np.ones((rows, 1)))]
        width = 1
        for name, values in used.items():
            tokens[name], block = _encode(name, values)
            places[name] = slice(width, width + block.shape[1])
            width += block.shape[1]
            blocks.append(block)
        matrix = sparse.hstack(blocks, format="csr")
        squares = sparse.csr_array((matrix.data**2, matrix.indices, matrix.indptr), shape=matrix.shape)
        return cls(matrix, squares, _outcomes(outcomes, rows), places, tokens)

    @property
    def rows(self) -> int:
        return len(self.outcomes)

    def check_enough(self, weights: FloatArray) -> None:
        counted = self.outcomes[weights > 0]
        if len(counted) < MIN_ROWS:
            raise NotEnoughData(f"{len(counted)} rows are too few: at least {MIN_ROWS} are needed")
        if counted.min() == counted.max():
            raise NotEnoughData("all rows have the same outcome")

    def spread(self, scales: Mapping[str, float]) -> FloatArray:
        """The prior scale of every coefficient, the intercept's first."""
        spread = np.full(self.matrix.shape[1], INTERCEPT_SCALE)
        for name, place in self.places.items():
            spread[place] = scales[name]
        return spread

    def solve(self, scales: Mapping[str, float], weights: FloatArray, start: FloatArray | None = None) -> FloatArray:
        """The posterior mode; coefficients of a group with scale 0 stay 0."""
        posterior = _Posterior(self, self.spread(scales), weights)
        found = optimize.minimize(
            posterior.loss_and_slope,
            np.zeros(self.matrix.shape[1]) if start is None else posterior.steps(start),
            method="trust-ncg",
            jac=True,
            hessp=posterior.curvature_along,
            options={"gtol": 1e-4, "initial_trust_radius": 100.0, "max_trust_radius": 1e6, "maxiter": 200},
        )
        return posterior.means(found.x)

    def variances(self, means: FloatArray, scales: Mapping[str, float], weights: FloatArray) -> FloatArray:
        """The Laplace variance of every coefficient; 0 for a group with scale 0."""
        chances = expit(self.matrix @ means)
        return _variances(self.spread(scales), self.squares.T @ (weights * chances * (1 - chances)))


class _Posterior:
    """Minus the log posterior of one fit, for a truncated Newton method.

    Token counts differ by orders of magnitude. The search therefore runs in steps of each coefficient's own
    posterior deviation, where the problem is round. Newton and not L-BFGS, which on a million rows needs
    three times as long, and stops far short in the flat directions between a group and its parent.
    """

    def __init__(self, problem: _Problem, spread: FloatArray, weights: FloatArray) -> None:
        self.problem = problem
        self.weights = weights
        # A scale of 0 pins its coefficients through a unit of 0, so it needs no precision.
        self.precision = np.divide(1.0, spread**2, out=np.zeros_like(spread), where=spread > 0)
        rate = float(weights @ problem.outcomes / weights.sum())
        # A training fold may hold one outcome only; the floor keeps the unit sensible.
        information = problem.squares.T @ (weights * max(rate * (1 - rate), 1e-3))
        self.unit = np.sqrt(_variances(spread, information))
        self.curved_at = np.empty(0)
        self.curvature = np.empty(0)

    def means(self, steps: FloatArray) -> FloatArray:
        return steps * self.unit

    def steps(self, means: FloatArray) -> FloatArray:
        return np.divide(means, self.unit, out=np.zeros_like(means), where=self.unit > 0)

    def loss_and_slope(self, steps: FloatArray) -> tuple[float, FloatArray]:
        means = self.means(steps)
        logits = self.problem.matrix @ means
        losses = np.logaddexp(0.0, logits) - self.problem.outcomes * logits
        slope = self.problem.matrix.T @ (self.weights * (expit(logits) - self.problem.outcomes))
        pull = self.precision * means
        return float(self.weights @ losses + 0.5 * pull @ means), (slope + pull) * self.unit

    def curvature_along(self, steps: FloatArray, direction: FloatArray) -> FloatArray:
        """The Hessian at `steps` times `direction`; many directions are asked for at one place."""
        if not np.array_equal(steps, self.curved_at):
            chances = expit(self.problem.matrix @ self.means(steps))
            self.curved_at, self.curvature = steps.copy(), self.weights * chances * (1 - chances)
        change = self.means(direction)
        bend = self.problem.matrix.T @ (self.curvature * (self.problem.matrix @ change))
        along: FloatArray = (bend + self.precision * change) * self.unit
        return along


class _CrossValidation:
    """Held-out log loss of scales, over folds that stay the same from one trial to the next."""

    def __init__(self, problem: _Problem, folds: NDArray[np.intp]) -> None:
        self.problem = problem
        self.held_out = [folds == fold for fold in range(int(folds.max()) + 1)]
        self.starts: list[FloatArray | None] = [None] * len(self.held_out)

    def loss(self, scales: Mapping[str, float]) -> float:
        """Mean log loss per row, each row predicted by the fit that has not seen it."""
        total = 0.0
        for fold, held_out in enumerate(self.held_out):
            # A held-out row weighs nothing, so a token only it has keeps its prior, as in scoring.
            weights = np.where(held_out, 0.0, 1.0)
            means = self.problem.solve(scales, weights, self.starts[fold])
            self.starts[fold] = means
            variances = self.problem.variances(means, scales, weights)
            logits = self.problem.matrix[held_out] @ means
            chances = _mean_chance(logits, self.problem.squares[held_out] @ variances)
            success = self.problem.outcomes[held_out] == 1
            total -= float(np.log(np.where(success, chances, 1 - chances)).sum())
        return total / self.problem.rows

    def improve(
        self, scales: dict[str, float], best: float, name: str, steps: list[float]
    ) -> tuple[dict[str, float], float]:
        """Try every step for one group; a step must win to be taken, the smallest of equals."""
        tried = [(scale, self.loss({**scales, name: scale})) for scale in steps if scale != scales[name]]
        for scale, loss in tried:
            if loss < best - LOSS_TOLERANCE:
                scales, best = {**scales, name: scale}, loss
        return scales, best


def _scores(logit: FloatArray, deviation: FloatArray, intercept: float, contributions: dict[str, FloatArray]) -> Scores:
    return Scores(
        mean=_mean_chance(logit, deviation**2),
        lower=expit(logit - Z_95 * deviation),
        upper=expit(logit + Z_95 * deviation),
        cautious=expit(logit - Z_80 * deviation),
        hopeful=expit(logit + Z_80 * deviation),
        logit=logit,
        deviation=deviation,
        intercept=intercept,
        contributions=contributions,
    )


def _mean_chance(logits: FloatArray, variances: FloatArray) -> FloatArray:
    """Mean of expit(x) for x ~ Normal(logits, variances), by MacKay's probit approximation (within 0.02)."""
    return expit(logits / np.sqrt(1 + np.pi / 8 * variances))


def _variances(spread: FloatArray, information: FloatArray) -> FloatArray:
    """Posterior variances from the prior scales and the data's share of the Hessian's diagonal."""
    variances: FloatArray = spread**2 / (1 + spread**2 * information)
    return variances


def _encode(name: str, values: NDArray[Any]) -> tuple[list[str] | None, sparse.csr_array]:
    """One column as a sparse block of shape (n, tokens), or (n, 1) for numbers; absent rows are empty."""
    if not _is_text(values):
        numbers = _numbers(name, values)
        present = ~np.isnan(numbers)
        return None, _block(present, np.zeros(present.sum(), dtype=np.int32), numbers[present], 1)
    cells = _texts(name, values)
    # Sorted, so that the order of the rows leaves no trace in the model.
    tokens = sorted(set(cells) - {""})
    positions = {token: place for place, token in enumerate(tokens)} | {"": -1}
    places = np.fromiter(map(positions.__getitem__, cells), dtype=np.int32, count=len(cells))
    present = places >= 0
    return tokens, _block(present, places[present], np.ones(present.sum()), len(tokens))


def _block(present: NDArray[np.bool_], places: NDArray[np.int32], data: FloatArray, width: int) -> sparse.csr_array:
    starts = np.append(0, np.cumsum(present)).astype(np.int32)
    return sparse.csr_array((data, places, starts), shape=(len(present), width))


def _is_text(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "UOT"


def _texts(name: str, values: NDArray[Any]) -> list[str]:
    cells: list[str] = values.tolist()
    if cells and not (_is_text(values) and all(issubclass(kind, str) for kind in set(map(type, cells)))):
        raise ValueError(f"column {name!r} must hold text, with '' for absent")
    return cells


def _numbers(name: str, values: NDArray[Any]) -> FloatArray:
    if values.size and values.dtype.kind not in "fiub":
        raise ValueError(f"column {name!r} must hold numbers, with NaN for absent")
    numbers = values.astype(np.float64)
    if (np.abs(numbers) > LARGEST).any():
        raise ValueError(f"column {name!r} holds a number beyond {LARGEST}")
    return numbers


def _row_count(columns: Columns) -> int:
    shapes = {values.shape for values in columns.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1:
        raise ValueError("columns must be one or more one-dimensional arrays of one length")
    return int(shape[0])


def _outcomes(outcomes: ArrayLike, rows: int) -> FloatArray:
    checked = np.asarray(outcomes, dtype=np.float64)
    if checked.shape != (rows,) or not np.isin(checked, (0.0, 1.0)).all():
        raise ValueError("outcomes must be 0 or 1, one per row")
    return checked


def _weights(weights: ArrayLike | None, rows: int) -> FloatArray:
    if weights is None:
        return np.ones(rows)
    checked = np.asarray(weights, dtype=np.float64)
    if checked.shape != (rows,) or not ((checked >= 0) & (checked <= LARGEST)).all():
        raise ValueError(f"weights must be from 0 to {LARGEST}, one per row")
    return checked


def _check_scales(columns: Columns, scales: Mapping[str, float]) -> None:
    for name in columns:
        if name not in scales:
            raise ValueError(f"column {name!r} has no scale")
        if not _usable(scales[name]):
            raise ValueError(f"the scale of {name!r} must be 0 or from {SMALLEST_SCALE} to {LARGEST_SCALE}")


def _steps(grid: Iterable[float]) -> list[float]:
    steps = sorted(set(grid))
    if not steps or steps[-1] == 0 or not all(map(_usable, steps)):
        raise ValueError(f"grid must hold 0 or scales from {SMALLEST_SCALE} to {LARGEST_SCALE}, not 0 alone")
    return steps


def _usable(scale: float) -> bool:
    return scale == 0 or SMALLEST_SCALE <= scale <= LARGEST_SCALE


def _fields(stored: object, names: set[str], what: str) -> dict[str, Any]:
    if not isinstance(stored, dict) or set(stored) != names:
        raise DamagedModel(f"{what}: must be an object of exactly {', '.join(sorted(names))}")
    return stored


def _finite(stored: object, what: str) -> FloatArray:
    # NumPy would turn "1" and True into numbers without a word.
    if not isinstance(stored, list) or not set(map(type, stored)) <= {int, float}:
        raise DamagedModel(f"{what}: must be a list of numbers")
    # Comparing Python's own numbers: an integer may be too large for a float, and NaN is never within.
    if not all(-LARGEST <= number <= LARGEST for number in stored):
        raise DamagedModel(f"{what}: holds a number that is not finite or beyond {LARGEST}")
    return np.array(stored, dtype=np.float64)


def _tokens(stored: object, what: str) -> list[str] | None:
    if stored is None:
        return None
    if not isinstance(stored, list) or not set(map(type, stored)) <= {str}:
        raise DamagedModel(f"{what}: tokens must be a list of strings, or null")
    if any(token >= following for token, following in zip(["", *stored], stored, strict=False)):
        raise DamagedModel(f"{what}: tokens must be sorted, distinct and not empty")
    return stored


def _group_from_dict(stored: object) -> Group:
    fields = _fields(stored, {"name", "scale", "tokens", "means", "variances"}, "group")
    name = fields["name"]
    if not isinstance(name, str) or not name:
        raise DamagedModel("group: its name must be a string that is not empty")
    what = f"group {name!r}"
    scale = float(_finite([fields["scale"]], f"{what}, scale")[0])
    tokens = _tokens(fields["tokens"], what)
    means = _finite(fields["means"], f"{what}, means")
    variances = _finite(fields["variances"], f"{what}, variances")
    if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
        raise DamagedModel(f"{what}: its scale must be positive, from {SMALLEST_SCALE} to {LARGEST_SCALE}")
    if not len(means) == len(variances) == (1 if tokens is None else len(tokens)):
        raise DamagedModel(f"{what}: means and variances must be as many as its tokens")
    # Data can only narrow the prior; the margin is for rounding.
    if (variances <= 0).any() or (variances > scale**2 * (1 + 1e-9)).any():
        raise DamagedModel(f"{what}: variances must be above 0 and at most its scale squared")
    return Group(name, scale, tokens, means, variances)
