"""Whether predictions are as good for one group of people as for another, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from predictions.figures import Figures, Interval, figures
from predictions.metrics import TWO_SIDED

# Fewer people are not told of.
MIN_PATIENTS = 5
# Several gaps are looked at together: each may call chance a gap so often that all of them seldom do.
SURE = 0.99
# Repetitions of chance, always the same ones: the same outcomes give the same answer.
REPETITIONS, SEED = 10_000, 20

Measure = Literal["bias", "auc"]


@dataclass(frozen=True)
class Group:
    """`name` is empty for people of whom it is not known."""

    name: str
    figures: Figures


@dataclass(frozen=True)
class Gap:
    """The largest difference of a measure between two groups: it is `higher` by `size` than in `lower`.

    `interval` holds the difference of these two with 95 %. With several groups some difference is always there;
    `by_chance` is what would be exceeded once in a hundred times if all were alike.
    """

    measure: Measure
    size: float
    interval: Interval
    lower: str
    higher: str
    by_chance: float

    @property
    def is_beyond_chance(self) -> bool:
        return self.size > self.by_chance


@dataclass(frozen=True)
class Fairness:
    """`held_back` are the people in groups that are too small to be told of. No gap where fewer than two can say."""

    groups: list[Group]
    held_back: int
    gaps: list[Gap]


def fairness(
    outcomes: ArrayLike, predicted: ArrayLike, groups: ArrayLike, patients: ArrayLike | None = None
) -> Fairness:
    """`groups` names the group of each row, '' where it is not known; the rest as in `figures`."""
    happened, said, names = np.asarray(outcomes), np.asarray(predicted), np.asarray(groups)
    whose = np.arange(len(names)) if patients is None else np.asarray(patients)
    people = {str(name): set(whose[names == name].tolist()) for name in np.unique(names)}
    shown = _shown(people)
    found = [Group(name, figures(happened[names == name], said[names == name], whose[names == name])) for name in shown]
    held_back: set[int] = set().union(*(own for name, own in people.items() if name not in shown))
    gaps = [gap for measure in ("bias", "auc") if (gap := _gap(measure, found))]
    return Fairness(found, len(held_back), gaps)


def _shown(people: dict[str, set[int]]) -> list[str]:
    """What is held back is known together, as the whole minus the rest: it is nobody or enough as well."""
    largest_first = sorted(people, key=lambda name: (-len(people[name]), name))
    shown = [name for name in largest_first if len(people[name]) >= MIN_PATIENTS]
    held_back = set[int]().union(*(own for name, own in people.items() if name not in shown))
    if shown and 0 < len(held_back) < MIN_PATIENTS:
        shown.pop()
    return shown


def _gap(measure: Measure, groups: Sequence[Group]) -> Gap | None:
    known = [(group.name, getattr(group.figures, measure)) for group in groups]
    telling = [(name, found.value, found.spread) for name, found in known if found and found.spread is not None]
    if len(telling) < 2:
        return None
    (lower, low, low_spread), (higher, high, high_spread) = max(
        combinations(sorted(telling, key=lambda one: one[1]), 2), key=lambda pair: pair[1][1] - pair[0][1]
    )
    size, spread = high - low, float(np.hypot(low_spread, high_spread))
    interval = (size - TWO_SIDED * spread, size + TWO_SIDED * spread)
    return Gap(measure, size, interval, lower, higher, _by_chance([one[2] for one in telling]))


def _by_chance(spreads: Sequence[float]) -> float:
    draws = np.random.default_rng(SEED).normal(size=(REPETITIONS, len(spreads))) * np.array(spreads)
    return float(np.quantile(np.ptp(draws, axis=1), SURE))
