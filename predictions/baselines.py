"""Two simple predictors that the engine has to beat: what clinics use where they have nothing better.

Both are told the remedy and the condition of n past reports and whether each succeeded, and then give the
probability of success, 0..1, of m new pairs. A remedy or condition not seen before is no error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Key = TypeVar("Key", bound=Hashable)


class Baseline(Protocol):
    """What the baselines share. Both methods raise ValueError when the lengths differ."""

    @classmethod
    def fit(cls, remedies: Sequence[str], conditions: Sequence[str], outcomes: Sequence[bool]) -> Self: ...

    def predict(self, remedies: Sequence[str], conditions: Sequence[str]) -> FloatArray: ...


@dataclass(frozen=True)
class ShrunkenRates:
    """Success rate of remedy x condition, shrunken to the remedy's, that to the overall rate.

    A parent's rate counts as `STRENGTH` reports beside those of the child; 15 is what cross-validation on
    real drug reviews prefers, so that the engine is held against this baseline at its best.
    """

    STRENGTH: ClassVar[float] = 15.0

    overall: float
    remedies: dict[str, float]
    pairs: dict[tuple[str, str], float]

    @classmethod
    def fit(cls, remedies: Sequence[str], conditions: Sequence[str], outcomes: Sequence[bool]) -> Self:
        """Raises ValueError also when there are no reports."""
        if not len(remedies):
            raise ValueError("there are no reports to learn from")
        overall = float(np.mean(outcomes))
        of_remedies = {
            remedy: _shrunken(counts, overall, cls.STRENGTH) for remedy, counts in _counts(remedies, outcomes).items()
        }
        of_pairs = {
            pair: _shrunken(counts, of_remedies[pair[0]], cls.STRENGTH)
            for pair, counts in _counts(zip(remedies, conditions, strict=True), outcomes).items()
        }
        return cls(overall, of_remedies, of_pairs)

    def predict(self, remedies: Sequence[str], conditions: Sequence[str]) -> FloatArray:
        pairs = zip(remedies, conditions, strict=True)
        return np.array([self._rate(*pair) for pair in pairs], dtype=np.float64)

    def _rate(self, remedy: str, condition: str) -> float:
        return self.pairs.get((remedy, condition), self.remedies.get(remedy, self.overall))


@dataclass(frozen=True)
class FixedFormula:
    """The predecessor's formula: 40 % the remedy's rate, 35 % its cohort's, 25 % a constant.

    The cohort is all reports on the condition. Whatever is unknown counts as 0.7.
    """

    UNKNOWN: ClassVar[float] = 0.7

    remedies: dict[str, float]
    conditions: dict[str, float]

    @classmethod
    def fit(cls, remedies: Sequence[str], conditions: Sequence[str], outcomes: Sequence[bool]) -> Self:
        return cls(
            {remedy: good / every for remedy, (good, every) in _counts(remedies, outcomes).items()},
            {condition: good / every for condition, (good, every) in _counts(conditions, outcomes).items()},
        )

    def predict(self, remedies: Sequence[str], conditions: Sequence[str]) -> FloatArray:
        pairs = zip(remedies, conditions, strict=True)
        return np.array([self._rate(*pair) for pair in pairs], dtype=np.float64)

    def _rate(self, remedy: str, condition: str) -> float:
        history = self.remedies.get(remedy, self.UNKNOWN)
        cohort = self.conditions.get(condition, self.UNKNOWN)
        return 0.4 * history + 0.35 * cohort + 0.25 * self.UNKNOWN


def _counts(keys: Iterable[Key], outcomes: Sequence[bool]) -> dict[Key, tuple[int, int]]:
    """Successes and reports of each key."""
    every: Counter[Key] = Counter()
    good: Counter[Key] = Counter()
    for key, success in zip(keys, outcomes, strict=True):
        every[key] += 1
        good[key] += bool(success)
    return {key: (good[key], every[key]) for key in every}


def _shrunken(counts: tuple[int, int], parent: float, strength: float) -> float:
    good, every = counts
    return (good + strength * parent) / (every + strength)
