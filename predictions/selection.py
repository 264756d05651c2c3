"""Which groups help, and how far each may move a prediction: by how well the others foretell the rows of one fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from predictions.design_matrix import Columns, FloatArray
from predictions.posterior import Problem, mean_chance

# What a group must gain in log likelihood over all rows, as Akaike's criterion asks of a parameter.
WORTH_A_GROUP = 1.0
# The same to leave the likely scale: what cross-validation gains by less is chance, and choosing by it does harm.
WORTH_A_STEP = 1.0
# Of a posterior deviation; far less than what a comparison of scales turns on.
ROUGHLY = 0.01
EVIDENCE_STEPS = 4


@dataclass(eq=False)
class _Part:
    """One fold: its rows, which the others predict. A held-out row weighs nothing in the fit, so that a token which
    only it has keeps its prior, as in scoring."""

    weights: FloatArray
    matrix: sparse.csr_array
    squares: sparse.csr_array
    outcomes: FloatArray
    start: FloatArray | None = None

    @classmethod
    def of(cls, problem: Problem, held_out: NDArray[np.bool_]) -> Self:
        matrix, squares = problem.matrix[held_out], problem.squares[held_out]
        return cls(np.where(held_out, 0.0, 1.0), matrix, squares, problem.outcomes[held_out])

    def loss(self, problem: Problem, scales: Mapping[str, float]) -> float:
        self.start = means = problem.solve(scales, self.weights, self.start, tolerance=ROUGHLY)
        variances = problem.variances(means, scales, self.weights)
        chances = mean_chance(self.matrix @ means, self.squares @ variances)
        return -float((self.outcomes * np.log(chances) + (1 - self.outcomes) * np.log(1 - chances)).sum())


class CrossValidation:
    """Held-out log loss of scales, summed over all rows, over folds that stay the same from one trial to the next."""

    def __init__(self, problem: Problem, folds: NDArray[np.intp]) -> None:
        self.problem = problem
        self.parts = [_Part.of(problem, folds == fold) for fold in range(int(folds.max()) + 1)]

    def loss(self, scales: Mapping[str, float]) -> float:
        return sum(part.loss(self.problem, scales) for part in self.parts)


class Search:
    """Over the groups of `columns` and the ascending `steps` of their scales; where the first is 0 a group may go."""

    def __init__(self, columns: Columns, outcomes: ArrayLike, folds: NDArray[np.intp], steps: Sequence[float]) -> None:
        self.columns = columns
        self.outcomes = outcomes
        self.folds = folds
        self.may_leave_out = not steps[0]
        self.steps = [step for step in steps if step]

    def helpful(self) -> dict[str, float]:
        """A scale for each group without which the others do worse; the last columns have to prove it first."""
        problem, trial = self._trial(self.columns)
        scales = self._likely(problem, dict.fromkeys(self.columns, self.steps[len(self.steps) // 2]))
        best = trial.loss(scales)
        for name in reversed(list(self.columns)) if self.may_leave_out else ():
            others = {other: scale for other, scale in scales.items() if other != name}
            problem, trial = self._trial(others)
            others = self._likely(problem, others)
            loss = trial.loss(others)
            if loss <= best + WORTH_A_GROUP:
                scales, best = others, min(loss, best)
        return scales

    def completed(self, scales: Mapping[str, float]) -> dict[str, float]:
        """With those that were left out and now, beside tuned ones, do help."""
        found, best = dict(scales), self._trial(scales)[1].loss(scales)
        for name in self.columns:
            if name not in scales:
                trial = self._trial([*found, name])[1]
                losses = {step: trial.loss({**found, name: step}) for step in self._usual_steps()}
                step = min(losses, key=losses.__getitem__)
                if losses[step] < best - WORTH_A_GROUP:
                    found, best = {**found, name: step}, losses[step]
        return found

    def tuned(self, scales: Mapping[str, float], sweeps: int) -> dict[str, float]:
        """One group after the other walks down, then up, the steps while that wins, until a sweep gains nothing."""
        tuned, trial = dict(scales), self._trial(scales)[1]
        best = trial.loss(tuned)
        for _ in range(sweeps):
            before = best
            for name in scales:
                lower = [step for step in reversed(self.steps) if step < tuned[name]]
                best = self._walk(trial, tuned, best, name, lower)
                higher = [step for step in self.steps if step > tuned[name]]
                best = self._walk(trial, tuned, best, name, higher)
            if best >= before:
                break
        return tuned

    def _walk(
        self, trial: CrossValidation, scales: dict[str, float], best: float, name: str, steps: Iterable[float]
    ) -> float:
        """Changes the scale in place; the loss that is reached."""
        for step in steps:
            loss = trial.loss({**scales, name: step})
            if loss >= best - WORTH_A_STEP:
                break
            scales[name], best = step, loss
        return best

    def _likely(self, problem: Problem, scales: Mapping[str, float]) -> dict[str, float]:
        """The scales under which the outcomes as a whole are most likely, about, from a start.

        EM on the marginal likelihood: a group's variance is the mean of its coefficients' squares, each with its own
        posterior variance (D. MacKay, "Bayesian interpolation", Neural Computation 4, 1992, here with the diagonal's
        variances). A start for cross-validation, and a near one.
        """
        found, weights = dict(scales), np.ones(problem.rows)
        means: FloatArray | None = None
        for _ in range(EVIDENCE_STEPS):
            means = problem.solve(found, weights, means, tolerance=ROUGHLY)
            variances = problem.variances(means, found, weights)
            for name, place in problem.places.items():
                likely = float(np.sqrt(np.mean(means[place] ** 2 + variances[place])))
                found[name] = min(max(likely, self.steps[0]), self.steps[-1])
        return found

    def _trial(self, names: Iterable[str]) -> tuple[Problem, CrossValidation]:
        used = {name: self.columns[name] for name in names}
        problem = Problem.build(used, self.columns, self.outcomes, np.ones(len(self.folds)))
        return problem, CrossValidation(problem, self.folds)

    def _usual_steps(self) -> list[float]:
        """Two from the middle of the steps."""
        return [self.steps[len(self.steps) // 4], self.steps[len(self.steps) // 2]]
