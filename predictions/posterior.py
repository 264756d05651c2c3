"""The posterior of the coefficients: its mode and its spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import expit

from predictions.design_matrix import (
    Columns,
    FloatArray,
    center_of,
    checked_outcomes,
    coded,
    coded_numbers,
    encode,
    row_count,
)

MIN_ROWS = 20
# On the logit scale a standard deviation of 10 leaves the overall rate to the data, yet keeps it finite.
INTERCEPT_SCALE = 10.0
MAX_NEWTON = 100
BALANCING_STEPS = 5
MAX_GRADIENTS = 250
SMALLEST_SHARE = 1e-9


class NotEnoughData(ValueError):
    """Too few rows, or only one of the two outcomes: nothing can be learned."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows encoded once as a sparse matrix whose first column is the intercept, ready for many fits."""

    matrix: sparse.csr_array
    squares: sparse.csr_array
    outcomes: FloatArray
    places: dict[str, slice]
    # of a numeric column None, and its mean instead
    tokens: dict[str, list[str] | None]
    centers: dict[str, float]

    @classmethod
    def build(cls, used: Columns, columns: Columns, outcomes: ArrayLike, weights: FloatArray) -> Self:
        rows = row_count(columns)
        places: dict[str, slice] = {}
        tokens: dict[str, list[str] | None] = {}
        centers: dict[str, float] = {}
        blocks = [sparse.csr_array(np.ones((rows, 1)))]
        width = 1
        for name, values in used.items():
            column = coded(name, values)
            centers[name] = 0.0 if column else center_of(name, values, weights)
            labels, block = encode(column or coded_numbers(name, values, centers[name]))
            tokens[name] = labels if column else None
            places[name] = slice(width, width + len(labels))
            width += len(labels)
            blocks.append(block)
        matrix = sparse.hstack(blocks, format="csr")
        squares = sparse.csr_array((matrix.data**2, matrix.indices, matrix.indptr), shape=matrix.shape)
        return cls(matrix, squares, checked_outcomes(outcomes, rows), places, tokens, centers)

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

    def solve(
        self,
        scales: Mapping[str, float],
        weights: FloatArray,
        start: FloatArray | None = None,
        *,
        tolerance: float = 1e-3,
    ) -> FloatArray:
        """The posterior mode, to within about `tolerance` posterior deviations; groups with scale 0 stay 0."""
        posterior = Posterior(self, self.spread(scales), weights)
        steps = np.zeros(self.matrix.shape[1]) if start is None else posterior.steps(start)
        return posterior.means(minimum(posterior, steps, tolerance))

    def variances(self, means: FloatArray, scales: Mapping[str, float], weights: FloatArray) -> FloatArray:
        """The Laplace variance of every coefficient; 0 for a group with scale 0."""
        chances = expit(self.matrix @ means)
        return variances_of(self.spread(scales), self.squares.T @ (weights * chances * (1 - chances)))

    def balance(self, means: FloatArray, variances: FloatArray, weights: FloatArray) -> float:
        """What the intercept lacks for the mean of all predicted probabilities to be that of the outcomes.

        At the mode it is the probabilities of the mode that have that mean; those of the posterior, which are what is
        predicted, lie nearer to a half.
        """
        logits, spread = self.matrix @ means, self.squares @ variances
        narrower = 1 / np.sqrt(1 + np.pi / 8 * spread)
        shift = 0.0
        for _ in range(BALANCING_STEPS):
            chances = mean_chance(logits + shift, spread)
            slope = dot(weights, narrower * chances * (1 - chances))
            shift += dot(weights, self.outcomes - chances) / slope if slope > 0 else 0.0
        return shift


class Posterior:
    """Minus the log posterior of one fit, for a truncated Newton method.

    Token counts differ by orders of magnitude. The search therefore runs in steps of each coefficient's own
    posterior deviation, where the problem is round.
    """

    def __init__(self, problem: Problem, spread: FloatArray, weights: FloatArray) -> None:
        self.problem = problem
        self.weights = weights
        self.transposed = problem.matrix.T
        # A scale of 0 pins its coefficients through a unit of 0, so it needs no precision.
        self.precision = np.divide(1.0, spread**2, out=np.zeros_like(spread), where=spread > 0)
        rate = float(np.average(problem.outcomes, weights=weights))
        # A training fold may hold one outcome only; the floor keeps the unit sensible.
        information = problem.squares.T @ (weights * max(rate * (1 - rate), 1e-3))
        self.unit = np.sqrt(variances_of(spread, information))

    def means(self, steps: FloatArray) -> FloatArray:
        return steps * self.unit

    def steps(self, means: FloatArray) -> FloatArray:
        return np.divide(means, self.unit, out=np.zeros_like(means), where=self.unit > 0)

    def logits(self, steps: FloatArray) -> FloatArray:
        logits: FloatArray = self.problem.matrix @ self.means(steps)
        return logits

    def loss(self, steps: FloatArray, logits: FloatArray) -> float:
        losses = np.logaddexp(0.0, logits) - self.problem.outcomes * logits
        return dot(self.weights, losses) + 0.5 * dot(self.precision, self.means(steps) ** 2)

    def slope(self, steps: FloatArray, chances: FloatArray) -> FloatArray:
        data = self.transposed @ (self.weights * (chances - self.problem.outcomes))
        slope: FloatArray = (data + self.precision * self.means(steps)) * self.unit
        return slope

    def bend(self, curvature: FloatArray, direction: FloatArray) -> FloatArray:
        """The Hessian, where the rows have this curvature, times `direction`."""
        change = self.means(direction)
        bend: FloatArray = self.transposed @ (curvature * (self.problem.matrix @ change))
        return (bend + self.precision * change) * self.unit


def minimum(posterior: Posterior, steps: FloatArray, tolerance: float) -> FloatArray:
    """Where the slope is below `tolerance`: Newton's method with conjugate gradients and halved steps.

    The loss is convex and the prior makes it strictly so: there is one minimum, and every direction found leads down.
    Newton and not L-BFGS, which on a million rows needs three times as long, and stops far short in the flat directions
    between a group and its parent. Source: J. Nocedal and S. Wright, "Numerical Optimization" (2nd ed., Springer 2006),
    algorithm 7.1.
    """
    logits = posterior.logits(steps)
    loss = posterior.loss(steps, logits)
    for _ in range(MAX_NEWTON):
        chances = expit(logits)
        slope = posterior.slope(steps, chances)
        if dot(slope, slope) <= tolerance**2:
            break
        direction = _newton_direction(posterior, posterior.weights * chances * (1 - chances), slope)
        share, moved = 1.0, posterior.logits(direction)
        while (gained := loss - posterior.loss(steps + share * direction, logits + share * moved)) <= 0:
            share /= 2
            if share < SMALLEST_SHARE:  # rounding is all that is left
                return steps
        steps, logits, loss = steps + share * direction, logits + share * moved, loss - gained
    return steps


def _newton_direction(posterior: Posterior, curvature: FloatArray, slope: FloatArray) -> FloatArray:
    """Conjugate gradients, the more exact the nearer the minimum is."""
    direction, residual = np.zeros_like(slope), -slope
    search, size = residual, dot(slope, slope)
    enough = size * min(0.25, np.sqrt(size))
    for _ in range(MAX_GRADIENTS):
        bend = posterior.bend(curvature, search)
        length = size / dot(search, bend)
        direction, residual = direction + length * search, residual - length * bend
        before, size = size, dot(residual, residual)
        if size <= enough:
            break
        search = residual + size / before * search
    return direction


def dot(left: FloatArray, right: FloatArray) -> float:
    """Without BLAS, whose threads cost more than they save on vectors of this length."""
    return float(np.einsum("i,i->", left, right))


def mean_chance(logits: FloatArray, variances: FloatArray) -> FloatArray:
    """Mean of expit(x) for x ~ Normal(logits, variances), by MacKay's probit approximation (within 0.02)."""
    return expit(logits / np.sqrt(1 + np.pi / 8 * variances))


def variances_of(spread: FloatArray, information: FloatArray) -> FloatArray:
    """Posterior variances from the prior scales and the data's share of the Hessian's diagonal."""
    variances: FloatArray = spread**2 / (1 + spread**2 * information)
    return variances
