"""How good predicted probabilities are, against what happened.

Throughout, `outcomes` holds 0 or 1 and `probabilities` 0..1, both of shape (n,) with n >= 1; anything else
raises ValueError. The order of the rows never matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# Keeps the logarithm finite: a certainty that proves wrong costs 34.5, not infinity.
CERTAIN = 1e-15


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of similar predictions: how many, the mean predicted probability, the share of successes."""

    count: int
    predicted: float
    observed: float


def auc(outcomes: ArrayLike, probabilities: ArrayLike) -> float | None:
    """Probability that a success was given more than a failure (ties count half), 0..1.

    None when there are no successes or no failures: there is then no pair to compare.
    """
    happened, predicted = _checked(outcomes, probabilities)
    successes = int(happened.sum())
    failures = len(happened) - successes
    if not successes or not failures:
        return None
    # Mann-Whitney U from the ranks, ties sharing their mean rank.
    _, places, ties = np.unique(predicted, return_inverse=True, return_counts=True)
    ranks = np.cumsum(ties) - (ties - 1) / 2
    above = ranks[places][happened == 1].sum() - successes * (successes + 1) / 2
    return float(above / (successes * failures))


def brier(outcomes: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared error of the probabilities, 0 (perfect) to 1."""
    happened, predicted = _checked(outcomes, probabilities)
    return float(np.mean((predicted - happened) ** 2))


def log_loss(outcomes: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean of minus the natural logarithm of the probability given to what happened, from 0 (perfect)."""
    happened, predicted = _checked(outcomes, probabilities)
    given = np.where(happened == 1, predicted, 1 - predicted)
    return float(-np.mean(np.log(np.maximum(given, CERTAIN))))


def calibration_bins(outcomes: ArrayLike, probabilities: ArrayLike, *, bins: int = 10) -> list[CalibrationBin]:
    """Rows sorted by prediction and cut into `bins` of equal count (to within one), lowest first.

    With fewer rows than bins each row is a bin. Where rows of equal prediction straddle a cut, each counts
    with the mean outcome of them all, as no order among them means anything.
    """
    happened, predicted = _checked(outcomes, probabilities)
    if bins < 1:
        raise ValueError("bins must be at least 1")
    values, ties, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    shares = np.bincount(ties, weights=happened) / counts
    sorted_predicted, sorted_shares = np.repeat(values, counts), np.repeat(shares, counts)
    parts = min(bins, len(predicted))
    return [
        CalibrationBin(len(part), float(part.mean()), float(observed.mean()))
        for part, observed in zip(
            np.array_split(sorted_predicted, parts), np.array_split(sorted_shares, parts), strict=True
        )
    ]


def calibration_error(outcomes: ArrayLike, probabilities: ArrayLike, *, bins: int = 10) -> float:
    """Expected calibration error, 0..1: the mean distance in a bin of predicted from observed, by count.

    It is above 0 even for true probabilities, by about 0.03 for 1,000 rows in 10 bins: chance alone.
    Source: M. Naeini, G. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning" (AAAI 2015), with bins of equal count.
    """
    found = calibration_bins(outcomes, probabilities, bins=bins)
    distances = [part.count * abs(part.predicted - part.observed) for part in found]
    return sum(distances) / sum(part.count for part in found)


def _checked(outcomes: ArrayLike, probabilities: ArrayLike) -> tuple[FloatArray, FloatArray]:
    happened = np.asarray(outcomes, dtype=np.float64)
    predicted = np.asarray(probabilities, dtype=np.float64)
    if happened.ndim != 1 or happened.shape != predicted.shape:
        raise ValueError("outcomes and probabilities must be one-dimensional and of one length")
    if not len(happened):
        raise ValueError("there are no outcomes to measure against")
    if not np.isin(happened, (0.0, 1.0)).all():
        raise ValueError("outcomes must be 0 or 1")
    if not ((predicted >= 0) & (predicted <= 1)).all():
        raise ValueError("probabilities must be from 0 to 1")
    return happened, predicted
