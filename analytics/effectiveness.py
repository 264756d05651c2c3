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
from scipy.stats import false_discovery_control

Trend = Literal["improving", "declining", "stable", "new"]

PRIOR_STRENGTH = 10.0
# No prior claims more than half a success or half a failure short of certainty (Jeffreys): a parent that only ever
# succeeded must not make its child look certain before the child has a single report.
LEAST_PSEUDO_COUNT = 0.5
TREND_MINIMUM = 5
TREND_PROBABILITY = 0.95
FALSE_DISCOVERIES = 0.05

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

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.n + other.n, self.successes + other.successes)

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


# Before any report every rate is as likely as any other.
FLAT = Beta(1.0, 1.0)


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
    beta = FLAT
    for level, counts in enumerate(nested):
        own = counts - nested[level + 1] if level + 1 < len(nested) else counts
        prior = beta if level == 0 else _prior_from(beta, strength)
        beta = Beta(prior.a + own.successes, prior.b + own.n - own.successes)
    return beta


def _prior_from(parent: Beta, strength: float) -> Beta:
    """What a child may expect: around its parent's rate by `strength`, and as unsure as that rate itself is.

    A child's rate is Beta(strength * mu, strength * (1 - mu)) and mu is not known but has the parent's posterior; the
    Beta with the same mean and variance as that mixture has (s + 1)(strength + 1) / (s + strength + 1) - 1 as its
    strength, s being the parent's: nearly `strength` under a well-known parent, little under an unknown one.
    """
    known = parent.a + parent.b
    return _around(parent.mean, (known + 1) * (strength + 1) / (known + strength + 1) - 1)


def _around(mean: float, strength: float) -> Beta:
    """A Beta with this mean and strength, but no surer of an extreme than LEAST_PSEUDO_COUNT allows."""
    least = min(LEAST_PSEUDO_COUNT, strength / 2)
    a = min(max(strength * mean, least), strength - least)
    return Beta(a, strength - a)


def estimate(nested: Sequence[Counts], strength: float = PRIOR_STRENGTH) -> Estimate:
    beta = posterior(nested, strength)
    own = nested[-1]
    return Estimate(
        score=beta.mean,
        interval=(beta.quantile(0.025), beta.quantile(0.975)),
        sample_size=own.n,
        success_rate=own.rate,
    )


def probability_of_rise(recent: Counts, before: Counts, mean: float, strength: float = 2.0) -> float:
    """P(the recent rate is above the earlier one), each with the same weak prior around `mean`."""
    prior = _around(mean, strength)
    now = Beta(prior.a + recent.successes, prior.b + recent.n - recent.successes)
    then = Beta(prior.a + before.successes, prior.b + before.n - before.successes)
    # E over the quantiles of `now` of P(then < quantile): 48 nodes give it to better than 0.001.
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


def surely_moving(probabilities: Sequence[float | None]) -> list[bool]:
    """Of many subjects compared, whose rate may be called moving: Benjamini and Hochberg's procedure, two-sided.

    At most FALSE_DISCOVERIES of those called are expected not to move. None: nothing is known about the subject.
    """
    known = [i for i, probability in enumerate(probabilities) if probability is not None]
    chances = [2 * min(p, 1 - p) for p in probabilities if p is not None]
    adjusted = list(false_discovery_control(chances)) if chances else []
    called = {i for i, chance in zip(known, adjusted, strict=True) if chance <= FALSE_DISCOVERIES}
    return [i in called for i in range(len(probabilities))]
