"""What a few new outcomes teach a model that is not fitted again.

The posterior of a fit is the prior of what comes next (Chapelle and Li, algorithm 3, the online form). Rows share
coefficients, so independent normal coefficients make the logits of all rows jointly normal; with m new rows the mode
and the spread are found among m numbers and not among the coefficients they touch: the Laplace approximation of
a Gaussian process (C. Rasmussen and C. Williams, "Gaussian Processes for Machine Learning", MIT Press 2006,
algorithms 3.1 and 3.2). For a linear model that is exactly the Laplace approximation over the touched coefficients,
with their covariances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from predictions.design_matrix import FloatArray

TOLERANCE = 1e-9
MAX_STEPS = 50


@dataclass(frozen=True, eq=False)
class Lesson:
    """How m outcomes move every normal variable of known covariance with their logits.

    A variable whose covariance with the m logits is c, shape (m,), moves by c @ `pull`, and its variance falls by
    c @ `narrowing` @ c.
    """

    pull: FloatArray
    narrowing: FloatArray


def learn(logits: FloatArray, covariance: FloatArray, outcomes: FloatArray) -> Lesson:
    """From m rows with prior mean `logits`, shape (m,), their prior `covariance`, (m, m), and outcomes 0 or 1.

    Newton steps on the log posterior, halved until it rises: it is concave, so there is one mode.
    """
    pull = np.zeros(len(logits))
    value = _log_posterior(pull, logits, covariance, outcomes)
    for _ in range(MAX_STEPS):
        step = _newton(pull, logits, covariance, outcomes) - pull
        gain, pull = _climb(pull, step, value, logits, covariance, outcomes)
        value += gain
        if gain < TOLERANCE:
            break
    chances = expit(logits + covariance @ pull)
    return Lesson(pull, _narrowing(chances * (1 - chances), covariance))


def _newton(pull: FloatArray, logits: FloatArray, covariance: FloatArray, outcomes: FloatArray) -> FloatArray:
    moved = covariance @ pull
    chances = expit(logits + moved)
    curvature = chances * (1 - chances)
    target = curvature * moved + outcomes - chances
    found: FloatArray = target - _narrowing(curvature, covariance) @ (covariance @ target)
    return found


def _climb(
    pull: FloatArray,
    step: FloatArray,
    value: float,
    logits: FloatArray,
    covariance: FloatArray,
    outcomes: FloatArray,
) -> tuple[float, FloatArray]:
    """How much a step gains, and where it leads; of a step that loses, a part."""
    for share in (1.0, 0.5, 0.25, 0.125, 0.0625):
        tried = pull + share * step
        gain = _log_posterior(tried, logits, covariance, outcomes) - value
        if gain > 0:
            return gain, tried
    return 0.0, pull


def _log_posterior(pull: FloatArray, logits: FloatArray, covariance: FloatArray, outcomes: FloatArray) -> float:
    moved = covariance @ pull
    reached = logits + moved
    return float(outcomes @ reached - np.logaddexp(0.0, reached).sum() - 0.5 * pull @ moved)


def _narrowing(curvature: FloatArray, covariance: FloatArray) -> FloatArray:
    """(covariance + 1 / curvature) ** -1 in a form that bears a curvature of nought."""
    root = np.sqrt(curvature)
    inner = np.eye(len(root)) + root[:, None] * covariance * root
    narrowing: FloatArray = root[:, None] * np.linalg.solve(inner, np.diag(root))
    return narrowing
