"""How good predictions were, each figure with what chance does to it.

Throughout, `outcomes` holds 0 or 1, `predicted` 0..1 and `patients` whole numbers from 0 that say whose a row is, all
of shape (n,) with n >= 1; None: each row is another patient's. Anything else raises ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predictions.metrics import TWO_SIDED, Calibration, auc, auc_spread, brier, calibration, log_loss, mean_spread

# What is asked of predictions: to be off by no more than this on average.
ALLOWED_ERROR = 0.05
# Fewer patients, successes or failures make a spread that is itself a guess.
FEW = 10

Interval = tuple[float, float]
Verdict = Literal["too_few", "off", "in_line"]


@dataclass(frozen=True)
class Bin:
    """Outcomes of similar predictions; `interval` holds the true share of successes with 95 %."""

    count: int
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True)
class Measured:
    """`spread` is its standard error, `interval` holds 95 %; both None where there are too few to say."""

    value: float
    spread: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Figures:
    """`bias` is predicted minus happened on average; `skill` the share of the overall rate's Brier score that is saved.

    `auc` is None where all ended the same way, and so is `skill`: the overall rate then makes no error. `verdict` is
    about calibration: `too_few` where true probabilities would show more than ALLOWED_ERROR by chance, `off` where the
    error is surely more than that, else `in_line`.
    """

    outcomes: int
    patients: int
    success_rate: float
    predicted_rate: float
    bias: Measured
    auc: Measured | None
    brier: Measured
    log_loss: float
    baseline_brier: float
    baseline_log_loss: float
    skill: Measured | None
    calibration_error: float
    calibration_error_by_chance: float
    calibration_error_at_least: float
    verdict: Verdict
    bins: list[Bin]


def figures(outcomes: ArrayLike, predicted: ArrayLike, patients: ArrayLike | None = None) -> Figures:
    """All of them. The baseline always says the overall rate, which it knows from these very outcomes."""
    happened, said = np.asarray(outcomes, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    calibrated = calibration(happened, said, patients)
    rate = float(happened.mean())
    overall = np.full(len(happened), rate)
    errors, errors_of_rate = (said - happened) ** 2, (overall - happened) ** 2
    baseline = brier(happened, overall)
    few = _has_few(happened, patients)

    def mean(values: NDArray[np.float64], least: float, most: float) -> Measured:
        spread = None if few else mean_spread(values, patients)
        return _measured(float(values.mean()), spread, least, most)

    area, area_spread = auc(happened, said), None if few else auc_spread(happened, said, patients)
    return Figures(
        outcomes=len(happened),
        patients=_count(happened, patients),
        success_rate=rate,
        predicted_rate=float(said.mean()),
        bias=mean(said - happened, -1, 1),
        auc=None if area is None else _measured(area, area_spread, 0, 1),
        brier=mean(errors, 0, 1),
        log_loss=log_loss(happened, said),
        baseline_brier=baseline,
        baseline_log_loss=log_loss(happened, overall),
        skill=mean((errors_of_rate - errors) / baseline, -np.inf, 1) if baseline else None,
        calibration_error=calibrated.error,
        calibration_error_by_chance=calibrated.by_chance,
        calibration_error_at_least=calibrated.at_least,
        verdict=_verdict(calibrated),
        bins=_bins(calibrated),
    )


def _has_few(outcomes: NDArray[np.float64], patients: ArrayLike | None) -> bool:
    """Whether they are too few for an interval."""
    return min(_count(outcomes, patients), float(outcomes.sum()), float((1 - outcomes).sum())) < FEW


def _count(outcomes: NDArray[np.float64], patients: ArrayLike | None) -> int:
    return len(outcomes) if patients is None else int(np.count_nonzero(np.bincount(np.asarray(patients))))


def _measured(value: float, spread: float | None, least: float, most: float) -> Measured:
    if spread is None:
        return Measured(value, None, None)
    return Measured(value, spread, (max(least, value - TWO_SIDED * spread), min(most, value + TWO_SIDED * spread)))


def _verdict(calibrated: Calibration) -> Verdict:
    if calibrated.at_least > ALLOWED_ERROR:
        return "off"
    return "too_few" if calibrated.by_chance > ALLOWED_ERROR else "in_line"


def _bins(calibrated: Calibration) -> list[Bin]:
    return [
        Bin(
            part.count,
            part.predicted,
            part.observed,
            (max(0.0, part.observed - TWO_SIDED * spread), min(1.0, part.observed + TWO_SIDED * spread)),
        )
        for part, spread in zip(calibrated.bins, calibrated.spreads, strict=True)
    ]
