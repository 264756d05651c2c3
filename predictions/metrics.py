"""How good predicted probabilities are, against what happened.

Throughout, `outcomes` holds 0 or 1 and `probabilities` 0..1, both of shape (n,) with n >= 1; anything else
raises ValueError. The order of the rows never matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv, ndtr

FloatArray = NDArray[np.float64]

# So many standard errors to either side hold 95 %.
TWO_SIDED = 1.96
SURE = 0.95

# Keeps the logarithm finite: a certainty that proves wrong costs 34.5, not infinity.
CERTAIN = 1e-15


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of similar predictions: how many, the mean predicted probability, the share of successes."""

    count: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Calibration:
    """`error` is the expected calibration error, `spreads` the standard error of each bin's observed share.

    `by_chance` is what true probabilities would show on average with these rows; `at_least` the lower 95 % bound of the
    error itself, 0 where chance explains it all.
    """

    bins: list[CalibrationBin]
    spreads: list[float]
    error: float
    by_chance: float
    at_least: float


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


def calibration(
    outcomes: ArrayLike, probabilities: ArrayLike, patients: ArrayLike | None = None, *, bins: int = 10
) -> Calibration:
    """The calibration error with what chance does to it. `patients`: whose each row is, as whole numbers from 0.

    A bin's spread is that of its rows were the probabilities true, or that between patients where it is larger: rows
    of one patient tell less than as many of different ones. The bound inverts a test: it is the largest error under
    which so much would be seen in at most one of twenty repetitions, with the errors of the bins in the proportions
    that were seen, and the bins normal.
    """
    happened, predicted = _checked(outcomes, probabilities)
    found = calibration_bins(happened, predicted, bins=bins)
    counts = np.array([part.count for part in found], dtype=np.float64)
    distances = np.array([part.observed - part.predicted for part in found])
    noise = _noise(happened, predicted, _numbered(patients, len(happened)), counts, distances)
    error = float(noise.weights @ np.abs(distances))
    by_chance, _ = noise.again(np.zeros(len(found)))
    return Calibration(found, noise.spreads.tolist(), error, by_chance, _at_least(error, distances, noise))


def auc_spread(outcomes: ArrayLike, probabilities: ArrayLike, patients: ArrayLike | None = None) -> float | None:
    """The standard error of `auc`; None where there is none or fewer than two patients.

    Source: N. Obuchowski, "Nonparametric analysis of clustered ROC curve data" (Biometrics 53, 1997); where each row is
    a patient it is that of E. DeLong and others (Biometrics 44, 1988).
    """
    happened, predicted = _checked(outcomes, probabilities)
    successes = float(happened.sum())
    failures = len(happened) - successes
    if not successes or not failures:
        return None
    _, places = np.unique(predicted, return_inverse=True)
    good, bad = np.bincount(places, weights=happened), np.bincount(places, weights=1 - happened)
    beaten = (np.cumsum(bad) - bad / 2) / failures  # the share of failures below each prediction
    beating = (successes - np.cumsum(good) + good / 2) / successes  # of successes above it
    area = float(good @ beaten) / successes
    influence = np.where(happened == 1, (beaten[places] - area) / successes, (beating[places] - area) / failures)
    return _spread_of_sum(influence, _numbered(patients, len(happened)))


def mean_spread(values: ArrayLike, patients: ArrayLike | None = None) -> float | None:
    """The standard error of the mean of `values`, shape (n,); None with fewer than two patients."""
    given = np.asarray(values, dtype=np.float64)
    return _spread_of_sum((given - given.mean()) / len(given), _numbered(patients, len(given)))


def _numbered(patients: ArrayLike | None, rows: int) -> NDArray[np.int64]:
    """Each row a patient of its own where nobody says whose it is."""
    if patients is None:
        return np.arange(rows)
    numbers = np.asarray(patients, dtype=np.int64)
    if numbers.shape != (rows,):
        raise ValueError("patients must be as many as the rows")
    return numbers


def _spread_of_sum(influence: FloatArray, patients: NDArray[np.int64]) -> float | None:
    own, several = np.bincount(patients, weights=influence), np.count_nonzero(np.bincount(patients))
    if several < 2:
        return None
    return sqrt(float(own @ own) * several / (several - 1))


@dataclass(frozen=True)
class _Noise:
    """What chance does to each of the bins, and to them together: `together` holds |correlations|."""

    weights: FloatArray
    spreads: FloatArray
    together: FloatArray

    def again(self, distances: FloatArray) -> tuple[float, float]:
        """Mean and standard deviation of the error that is seen when these are the true distances of the bins.

        A bin then shows the size of a normal variable (the folded normal distribution); sizes are correlated no more
        than what they are sizes of.
        """
        noisy = self.spreads > 0
        scaled = np.divide(distances, self.spreads, out=np.zeros_like(distances), where=noisy)
        chance = self.spreads * np.exp(-(scaled**2) / 2) * sqrt(2 / pi)
        size = np.where(noisy, chance + distances * (1 - 2 * ndtr(-scaled)), np.abs(distances))
        parts = self.weights * np.sqrt(np.maximum(distances**2 + self.spreads**2 - size**2, 0))
        return float(self.weights @ size), sqrt(float(parts @ self.together @ parts))


def _noise(
    happened: FloatArray, predicted: FloatArray, patients: NDArray[np.int64], counts: FloatArray, distances: FloatArray
) -> _Noise:
    values, places, ties = np.unique(predicted, return_inverse=True, return_counts=True)
    shares = _shares_of_bins(ties, counts)
    binomial = np.asarray(shares.T @ (shares * (ties * values * (1 - values))[:, None]), dtype=np.float64)
    own = np.column_stack([
        np.bincount(patients, weights=part[places] * (happened - predicted - distance))
        for part, distance in zip(shares.T, distances, strict=True)
    ])  # fmt: skip
    between = np.asarray(own.T @ own, dtype=np.float64)
    spreads = np.sqrt(np.maximum(np.diag(binomial), np.diag(between))) / counts
    together = np.maximum(_correlations(binomial), _correlations(between))
    return _Noise(counts / counts.sum(), spreads, together)


def _shares_of_bins(ties: NDArray[np.int64], counts: FloatArray) -> FloatArray:
    """Of each distinct prediction the share that lies in each bin: across a cut it belongs to both sides in part."""
    ends, cuts = np.cumsum(ties)[:, None], np.cumsum(counts)[None, :]
    within = np.minimum(ends, cuts) - np.maximum(ends - ties[:, None], cuts - counts[None, :])
    shares: FloatArray = np.maximum(within, 0) / ties[:, None]
    return shares


def _correlations(covariances: FloatArray) -> FloatArray:
    spreads = np.sqrt(np.diag(covariances))
    products = np.outer(spreads, spreads)
    found: FloatArray = np.divide(np.abs(covariances), products, out=np.zeros(products.shape), where=products > 0)
    np.fill_diagonal(found, 1)
    return found


def _most(mean: float, spread: float) -> float:
    """Below it lies a sum of sizes with SURE, taken for gamma distributed: that fits one size as well as many."""
    if not mean or not spread:
        return mean
    return float(gammaincinv((mean / spread) ** 2, SURE)) * spread**2 / mean


def _at_least(error: float, distances: FloatArray, noise: _Noise) -> float:
    low, high = 0.0, error
    for _ in range(20):  # to a millionth
        middle = (low + high) / 2
        if _most(*noise.again(distances * (middle / error) if error else distances)) < error:
            low = middle
        else:
            high = middle
    return low


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
