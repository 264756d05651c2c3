"""How effective something is, and how sure that is: the mathematics, without Django.

The success probability of a subject has a Beta posterior whose prior mean comes from its parent: what is known
about everything informs the remedy, the remedy informs the remedy for one condition, and so on down the chain.
Formulas with their sources stand in docs/numbers.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincc, betaincinv, xlogy

Trend = Literal["improving", "declining", "stable", "new"]

PRIOR_STRENGTH = 10.0
# No prior claims more than half a success or half a failure short of certainty (Jeffreys): a parent that only ever
# succeeded must not make its child look certain before the child has a single report.
LEAST_PSEUDO_COUNT = 0.5
TREND_MINIMUM = 5
TREND_PROBABILITY = 0.95
FALSE_DISCOVERIES = 0.05

FloatArray = NDArray[np.float64]

# Of a quadrature from 0 to 1; normal weight further out than so many deviations does not matter.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES = (_NODES + 1) / 2
DEVIATIONS = 4.5


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

    def chance_of_reaching(self, target: float) -> float:
        """The probability, 0..1, that the success probability is at least `target`, 0..1."""
        return float(betaincc(self.a, self.b, target))


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


def posteriors(chains: Sequence[Sequence[Counts]], strength: float = PRIOR_STRENGTH) -> tuple[FloatArray, FloatArray]:
    """a and b, each of shape (n,), of the posterior of the last of each chain of counts; each contains the next.

    Every report is counted once: a parent informs its child only by the reports that are not the child's own. The
    chains have the same number of levels; many cost hardly more than one. Raises ValueError where a level does not
    contain the next, or there is none.
    """
    if not chains:
        return np.empty(0), np.empty(0)
    *_, (a, b, successes, failures) = _levels(chains, strength)
    return a + successes, b + failures


def shares(chains: Sequence[Sequence[Counts]], strength: float = PRIOR_STRENGTH) -> list[list[float]]:
    """How much of each posterior the reports of each level weigh, 0..1; what they leave is the flat prior's."""
    found: list[FloatArray] = []
    for a, b, successes, failures in _levels(chains, strength) if chains else ():
        before, own = a + b, successes + failures
        found = [share * before / (before + own) for share in found] + [own / (before + own)]
    return [list(map(float, row)) for row in zip(*found, strict=True)]


def _levels(chains: Sequence[Sequence[Counts]], strength: float) -> Iterator[tuple[FloatArray, ...]]:
    """Of each level a and b of the prior, and the successes and failures among the reports that are not the child's."""
    levels = np.array([[(counts.n, counts.successes) for counts in nested] for nested in chains], dtype=np.float64)
    if levels.ndim != 3 or not levels.shape[1]:
        raise ValueError("a posterior needs at least one level of counts, and each chain as many")
    levels[:, :-1] -= levels[:, 1:].copy()
    all_successes, all_failures = levels[..., 1], levels[..., 0] - levels[..., 1]
    if (all_successes < 0).any() or (all_failures < 0).any():
        raise ValueError("a level must contain the next, its successes among its successes")
    a, b = np.full(len(levels), FLAT.a), np.full(len(levels), FLAT.b)
    for successes, failures in zip(all_successes.T, all_failures.T, strict=True):
        yield a, b, successes, failures
        a, b = _prior_from(a + successes, b + failures, strength)


def _prior_from(a: FloatArray, b: FloatArray, strength: float) -> tuple[FloatArray, FloatArray]:
    """What a child of Beta(a, b) may expect: around its rate by `strength`, and as unsure as that rate itself is.

    A child's rate is Beta(strength * mu, strength * (1 - mu)) and mu is not known but has the parent's posterior; the
    Beta with the same mean and variance as that mixture has (s + 1)(strength + 1) / (s + strength + 1) - 1 as its
    strength, s being the parent's: nearly `strength` under a well-known parent, little under an unknown one.
    """
    known = a + b
    return _around(a / known, (known + 1) * (strength + 1) / (known + strength + 1) - 1)


def _around(mean: FloatArray, strength: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """a and b for this mean and strength, but no surer of an extreme than LEAST_PSEUDO_COUNT allows."""
    least = np.minimum(LEAST_PSEUDO_COUNT, np.asarray(strength) / 2)
    a = np.minimum(np.maximum(strength * mean, least), strength - least)
    return a, strength - a


def estimates(chains: Sequence[Sequence[Counts]], strength: float = PRIOR_STRENGTH) -> list[Estimate]:
    """The last of each chain of nested counts; see `posteriors`."""
    a, b = posteriors(chains, strength)
    columns = (array.tolist() for array in (a / (a + b), betaincinv(a, b, 0.025), betaincinv(a, b, 0.975)))
    return [
        Estimate(score=score, interval=(lower, upper), sample_size=nested[-1].n, success_rate=nested[-1].rate)
        for nested, score, lower, upper in zip(chains, *columns, strict=True)
    ]


def estimate(nested: Sequence[Counts], strength: float = PRIOR_STRENGTH) -> Estimate:
    return estimates([nested], strength)[0]


def probabilities_of_rise(
    changes: Sequence[tuple[Counts, Counts]], means: Sequence[float], strength: float = 2.0
) -> list[float]:
    """P(the recent rate is above the earlier one) for each pair of recent and earlier counts, to 0.0002.

    Both rates have the same weak prior around the mean.
    """
    if not changes:
        return []
    a, b = _around(np.array(means), strength)
    counts = np.array([[(side.successes, side.n - side.successes) for side in pair] for pair in changes])
    now, then = (np.stack([a, b], axis=1) + counts[:, side] for side in (0, 1))
    # Integrated over the narrower of the two: the distribution function of the other is smooth there.
    swapped = _sharpness(then) > _sharpness(now)
    chances = _chance_of_less(np.where(swapped, now.T, then.T).T, np.where(swapped, then.T, now.T).T)
    found: list[float] = np.where(swapped, 1 - chances, chances).tolist()
    return found


def _chance_of_less(wide: FloatArray, narrow: FloatArray) -> FloatArray:
    """P(wide < narrow) for rows (a, b) of Beta distributions with a and b of at least 0.5.

    The angle whose squared sine is the rate has the density sin ** (2 a - 1) * cos ** (2 b - 1): nowhere infinite, and
    falling off from its peak no slower than a normal one whose deviation is 1 / sharpness.
    """
    powers = 2 * narrow - 1
    peak = np.arctan2(*np.sqrt(powers.T))
    with np.errstate(divide="ignore"):  # no sharpness, no end but that of the quarter circle
        reach = DEVIATIONS / _sharpness(narrow)
    start, end = np.maximum(peak - reach, 0), np.minimum(peak + reach, np.pi / 2)
    angles = start[:, None] + (end - start)[:, None] * _NODES
    heights = xlogy(powers[:, :1], np.sin(angles)) + xlogy(powers[:, 1:], np.cos(angles))
    weights = _WEIGHTS * np.exp(heights - heights.max(axis=1, keepdims=True))
    below = betainc(wide[:, :1], wide[:, 1:], np.sin(angles) ** 2)
    chances: FloatArray = (weights * below).sum(axis=1) / weights.sum(axis=1)
    return chances


def _sharpness(betas: FloatArray) -> FloatArray:
    sharpness: FloatArray = np.sqrt(2 * betas - 1).sum(axis=1)
    return sharpness


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
