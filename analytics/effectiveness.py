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
# No prior claims more than half a success or half a failure short of certainty (Jeffreys): a parent that only ever
# succeeded must not make its child look certain before the child has a single report.
LEAST_PSEUDO_COUNT = 0.5
TREND_MINIMUM = 5
TREND_PROBABILITY = 0.95
FALSE_DISCOVERIES = 0.05

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)
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


def estimates(chains: Sequence[Sequence[Counts]], strength: float = PRIOR_STRENGTH) -> list[Estimate]:
    """The last of each chain of nested counts; many cost hardly more than one."""
    betas = [posterior(nested, strength) for nested in chains]
    a, b = np.array([beta.a for beta in betas]), np.array([beta.b for beta in betas])
    intervals = zip(betaincinv(a, b, 0.025).tolist(), betaincinv(a, b, 0.975).tolist(), strict=True)
    return [
        Estimate(score=beta.mean, interval=interval, sample_size=nested[-1].n, success_rate=nested[-1].rate)
        for nested, beta, interval in zip(chains, betas, intervals, strict=True)
    ]


def estimate(nested: Sequence[Counts], strength: float = PRIOR_STRENGTH) -> Estimate:
    return estimates([nested], strength)[0]


def probabilities_of_rise(
    changes: Sequence[tuple[Counts, Counts]], means: Sequence[float], strength: float = 2.0
) -> list[float]:
    """P(the recent rate is above the earlier one) for each pair of recent and earlier counts.

    Both rates have the same weak prior around the mean.
    """
    priors = [_around(mean, strength) for mean in means]
    now, then = (
        [(p.a + c.successes, p.b + c.n - c.successes) for p, c in zip(priors, side, strict=True)]
        for side in ([recent for recent, _ in changes], [before for _, before in changes])
    )
    # The narrower of the two is cut into quantiles: the distribution function of the other is smooth over them.
    swapped = [_variance(*b) < _variance(*a) for a, b in zip(now, then, strict=True)]
    pairs = [(b, a) if swap else (a, b) for a, b, swap in zip(now, then, swapped, strict=True)]
    table = np.array(pairs).reshape(-1, 4, 1)
    # E over the quantiles of the narrower of P(wider < quantile): 24 nodes give it to better than 0.001.
    chances = betainc(table[:, 2], table[:, 3], betaincinv(table[:, 0], table[:, 1], _U)) @ _W
    return [float(1 - chance if swap else chance) for chance, swap in zip(chances, swapped, strict=True)]


def _variance(a: float, b: float) -> float:
    return a * b / ((a + b) ** 2 * (a + b + 1))


def trends(changes: Sequence[tuple[Counts, Counts]], means: Sequence[float]) -> list[tuple[Trend, float | None]]:
    """The word and the probability that the rate rose; `new` when fewer than TREND_MINIMUM reports came before."""
    known = [i for i, (recent, before) in enumerate(changes) if before.n >= TREND_MINIMUM and recent.n]
    chances = probabilities_of_rise([changes[i] for i in known], [means[i] for i in known])
    found: list[tuple[Trend, float | None]] = [
        ("new" if before.n < TREND_MINIMUM else "stable", None) for _, before in changes
    ]
    for i, chance in zip(known, chances, strict=True):
        found[i] = (_word(chance), chance)
    return found


def _word(chance_of_rise: float) -> Trend:
    if chance_of_rise >= TREND_PROBABILITY:
        return "improving"
    return "declining" if chance_of_rise <= 1 - TREND_PROBABILITY else "stable"


def surely_moving(probabilities: Sequence[float | None]) -> list[bool]:
    """Of many subjects compared, whose rate may be called moving: Benjamini and Hochberg's procedure, two-sided.

    At most FALSE_DISCOVERIES of those called are expected not to move. None: nothing is known about the subject.
    """
    known = [i for i, probability in enumerate(probabilities) if probability is not None]
    chances = np.array([2 * min(p, 1 - p) for p in probabilities if p is not None])
    order = np.argsort(chances)
    allowed = FALSE_DISCOVERIES * np.arange(1, len(known) + 1) / max(len(known), 1)
    called = {known[i] for i in order[: np.flatnonzero(chances[order] <= allowed).max(initial=-1) + 1]}
    return [i in called for i in range(len(probabilities))]
