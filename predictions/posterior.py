"""The posterior of the coefficients: its mode, its spread, and how well scales predict what they have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, sparse
from scipy.special import expit

from predictions.design_matrix import Columns, FloatArray, checked_outcomes, encode, row_count

MIN_ROWS = 20
# On the logit scale a standard deviation of 10 leaves the overall rate to the data, yet keeps it finite.
INTERCEPT_SCALE = 10.0
# Two log losses (per row) closer than this differ by the solver's tolerance, not by merit.
LOSS_TOLERANCE = 1e-6


class NotEnoughData(ValueError):
    """Too few rows, or only one of the two outcomes: nothing can be learned."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows encoded once as a sparse matrix whose first column is the intercept, ready for many fits."""

    matrix: sparse.csr_array
    squares: sparse.csr_array
    outcomes: FloatArray
    places: dict[str, slice]
    tokens: dict[str, list[str] | None]

    @classmethod
    def build(cls, used: Columns, columns: Columns, outcomes: ArrayLike) -> Self:
        rows = row_count(columns)
        places: dict[str, slice] = {}
        tokens: dict[str, list[str] | None] = {}
        blocks = [sparse.csr_array(np.ones((rows, 1)))]
        width = 1
        for name, values in used.items():
            tokens[name], block = encode(name, values)
            places[name] = slice(width, width + block.shape[1])
            width += block.shape[1]
            blocks.append(block)
        matrix = sparse.hstack(blocks, format="csr")
        squares = sparse.csr_array((matrix.data**2, matrix.indices, matrix.indptr), shape=matrix.shape)
        return cls(matrix, squares, checked_outcomes(outcomes, rows), places, tokens)

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
        posterior = Posterior(self, self.spread(scales), weights)
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
        return variances_of(self.spread(scales), self.squares.T @ (weights * chances * (1 - chances)))


class Posterior:
    """Minus the log posterior of one fit, for a truncated Newton method.

    Token counts differ by orders of magnitude. The search therefore runs in steps of each coefficient's own
    posterior deviation, where the problem is round. Newton and not L-BFGS, which on a million rows needs
    three times as long, and stops far short in the flat directions between a group and its parent.
    """

    def __init__(self, problem: Problem, spread: FloatArray, weights: FloatArray) -> None:
        self.problem = problem
        self.weights = weights
        # A scale of 0 pins its coefficients through a unit of 0, so it needs no precision.
        self.precision = np.divide(1.0, spread**2, out=np.zeros_like(spread), where=spread > 0)
        rate = float(weights @ problem.outcomes / weights.sum())
        # A training fold may hold one outcome only; the floor keeps the unit sensible.
        information = problem.squares.T @ (weights * max(rate * (1 - rate), 1e-3))
        self.unit = np.sqrt(variances_of(spread, information))
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


class CrossValidation:
    """Held-out log loss of scales, over folds that stay the same from one trial to the next."""

    def __init__(self, problem: Problem, folds: NDArray[np.intp]) -> None:
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
            chances = mean_chance(logits, self.problem.squares[held_out] @ variances)
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


def mean_chance(logits: FloatArray, variances: FloatArray) -> FloatArray:
    """Mean of expit(x) for x ~ Normal(logits, variances), by MacKay's probit approximation (within 0.02)."""
    return expit(logits / np.sqrt(1 + np.pi / 8 * variances))


def variances_of(spread: FloatArray, information: FloatArray) -> FloatArray:
    """Posterior variances from the prior scales and the data's share of the Hessian's diagonal."""
    variances: FloatArray = spread**2 / (1 + spread**2 * information)
    return variances
