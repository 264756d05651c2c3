"""A gap between groups is shown, chance is not called a gap, and nothing is said of a few people."""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np
import pytest

from predictions.fairness import MIN_PATIENTS, fairness
from predictions.figures import figures

MIZAJES = ["warm", "cold", "wet", "dry", "warm_dry", "cold_wet"]


def draw(rng: Any, groups: list[str], rows: int, off_by: dict[str, float] | None = None) -> tuple[Any, Any, Any]:
    names = rng.choice(groups, size=rows)
    chances = rng.beta(6, 3, size=rows).round(3)
    off = np.array([(off_by or {}).get(name, 0.0) for name in names])
    return (rng.random(rows) < np.clip(chances - off, 0, 1)).astype(float), chances, names


def test_who_is_promised_too_much_is_named() -> None:
    found = fairness(*draw(np.random.default_rng(7), ["", "female", "male"], 3000, {"female": 0.15}))

    [bias] = [gap for gap in found.gaps if gap.measure == "bias"]
    assert bias.higher == "female" and bias.is_beyond_chance
    assert bias.interval[0] < 0.15 < bias.interval[1]
    assert [group.name for group in found.groups if group.figures.verdict == "off"] == ["female"]


@pytest.mark.parametrize("groups", [["female", "male"], pytest.param(MIZAJES, marks=pytest.mark.thorough)])
def test_chance_is_called_a_gap_once_in_a_hundred_times(groups: list[str]) -> None:
    """However many groups are compared."""
    rng = np.random.default_rng(7)
    gaps = [gap for _ in range(200) for gap in fairness(*draw(rng, groups, 600)).gaps]

    for measure in ("bias", "auc"):
        assert mean(gap.is_beyond_chance for gap in gaps if gap.measure == measure) < 0.04


def test_each_group_has_the_figures_of_its_own_rows() -> None:
    outcomes, chances, names = draw(np.random.default_rng(7), MIZAJES, 300)

    for group in fairness(outcomes, chances, names).groups:
        own = names == group.name
        assert group.figures == figures(outcomes[own], chances[own], np.flatnonzero(own))


def test_people_of_whom_nothing_is_known_are_a_group() -> None:
    outcomes, chances, _ = draw(np.random.default_rng(7), ["x"], 40)

    assert [group.name for group in fairness(outcomes, chances, [""] * 20 + ["warm"] * 20).groups] == ["", "warm"]


def shown(people: dict[str, int], reports: int = 3) -> tuple[set[str], int]:
    names = [name for name, count in people.items() for _ in range(count * reports)]
    patients = [patient // reports for patient in range(len(names))]
    found = fairness([0, 1] * (len(names) // 2) + [0] * (len(names) % 2), [0.5] * len(names), names, patients)
    return {group.name for group in found.groups}, found.held_back


def test_nothing_is_said_of_a_few_people_nor_by_subtracting() -> None:
    assert MIN_PATIENTS == 5
    assert shown({"warm": 5, "cold": 9}) == ({"warm", "cold"}, 0)
    assert shown({"warm": 4, "cold": 9, "wet": 7}) == ({"cold"}, 11)  # the whole without the rest would tell of warm
    assert shown({"warm": 4, "wet": 3, "cold": 9}) == ({"cold"}, 7)
    assert shown({"warm": 4}) == (set(), 4)


def test_two_groups_that_cannot_say_have_no_gap() -> None:
    assert fairness([0, 1] * 10, [0.5] * 20, ["warm"] * 10 + ["cold"] * 10).gaps == []


def test_the_same_outcomes_give_the_same_answer() -> None:
    rows = draw(np.random.default_rng(7), MIZAJES, 600)

    assert fairness(*rows) == fairness(*rows)
