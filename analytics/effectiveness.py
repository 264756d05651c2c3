"""How effective something is, and how sure that is: the mathematics, without Django.

The success probability of a subject has a Beta posterior whose prior mean comes from its parent: what is known
about everything informs the remedy, the remedy informs the remedy for one condition, and so on down the chain.
Formulas with their sources stand in docs/numbers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betainc, betaincinv

Trend = Literal["improving", "declining", "stable", "new"]

PRIOR_STRENGTH = 10.0
# Before any report: a flat prior, worth two.
FLAT_MEAN, FLAT_STRENGTH = 0.5, 2.0
TREND_MINIMUM = 5
TREND_PROBABILITY = 0.95

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(48)
_U, _W = (_NODES + 1) / 2, _WEIGHTS / 2


@dataclass(frozen=True)
class Counts:
    """`n` reports, of which `successes` were successes."""

    n: int = 0
    successes: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.n:
            raise ValueError(f"{self.successes} successes among {self.n} reports")

    def __sub__(self, part: Counts) -> Counts:
        return Counts(self.n - part.n, self.successes - part.successes)

    @property
    def rate(self) -> float | None:
        return self.successes / self.n if self.n else None


@dataclass(frozen=True)
class Beta:
    """A Beta distribution over a success probability."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    def quantile(self, q: float) -> float:
        return float(betaincinv(self.a, self.b, q))


@dataclass(frozen=True)
class Estimate:
    """`score` and `interval` are probabilities; `interval` holds 95 %, equal tails; `confidence` is 1 - its width."""

    score: float
    interval: tuple[float, float]
    sample_size: int
    success_rate: float | None

    @property
    def confidence(self) -> float:
        return 1.0 - (self.interval[1] - self.interval[0])


def posterior(nested: Sequence[Counts], strength: float = PRIOR_STRENGTH) -> Beta:
    """The posterior of the last of `nested` counts, each of which contains the next.

    Every report is counted once: a parent informs its child only by the reports that are not the child's own.
    """
    if not nested:
        raise ValueError("A posterior needs at least one level of counts.")
    mean, weight = FLAT_MEAN, FLAT_STRENGTH
    for level, counts in enumerate(nested):
        own = counts - nested[level + 1] if level + 1 < len(nested) else counts
        beta = Beta(weight * mean + own.successes, weight * (1 - mean) + own.n - own.successes)
        mean, weight = beta.mean, strength
    return beta


def estimate(nested: Sequence[Counts], strength: float = PRIOR_STRENGTH) -> Estimate:
    beta = posterior(nested, strength)
    own = nested[-1]
    return Estimate(
        score=beta.mean,
        interval=(beta.quantile(0.025), beta.quantile(0.975)),
        sample_size=own.n,
        success_rate=own.rate,
    )


def probability_of_rise(recent: Counts, before: Counts, mean: float, strength: float = FLAT_STRENGTH) -> float:
    """P(the recent rate is above the earlier one), each with the same weak prior around `mean`."""
    a, b = strength * mean, strength * (1 - mean)
    now = Beta(a + recent.successes, b + recent.n - recent.successes)
    then = Beta(a + before.successes, b + before.n - before.successes)
    # E over the quantiles of `now` of P(then < quantile): a smooth integrand, exact to many digits with 48 nodes.
    quantiles = betaincinv(now.a, now.b, _U)
    return float(np.dot(_W, betainc(then.a, then.b, quantiles)))


def trend(recent: Counts, before: Counts, mean: float) -> tuple[Trend, float | None]:
    """The word and the probability that the rate rose; `new` when fewer than TREND_MINIMUM reports came before."""
    if before.n < TREND_MINIMUM or not recent.n:
        return ("new" if before.n < TREND_MINIMUM else "stable"), None
    probability = probability_of_rise(recent, before, mean)
    if probability >= TREND_PROBABILITY:
        return "improving", probability
    if probability <= 1 - TREND_PROBABILITY:
        return "declining", probability
    return "stable", probability
