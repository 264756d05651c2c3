from __future__ import annotations

from math import log
from typing import Any

import pytest
from scipy.stats import beta, norm

from diagnoses.actions import recommend, save_term
from diagnoses.models import Remedy


def logit(chance: float) -> float:
    return log(chance / (1 - chance))


def test_what_surely_reaches_the_target_is_chosen(
    asked: Any, alice: Any, diagnosis: Any, both: Any, learned: Any
) -> None:
    learned(remedy={"mint": -1.0, "sweet-violet": 1.0})

    found = asked(alice, "optimize", diagnosis=diagnosis.pk, target_effectiveness=0.65)

    [chosen] = found["predictions"]
    assert found["reached"] is True and found["message"] == "Each of these probably reaches the target."
    assert chosen["remedy"] == "sweet-violet"
    assert chosen["chance_of_reaching"] == pytest.approx(norm.cdf((1 - logit(0.65)) / 0.02**0.5))


def test_where_nothing_reaches_it_the_nearest_are_named_and_it_says_so(
    api: Any, asked: Any, alice: Any, bob: Any, diagnosis: Any, both: Any, learned: Any
) -> None:
    for slug in ("a", "b"):
        remedy = Remedy.objects.create(slug=slug, name_en=slug, name_fa=slug, kind="herbal")
        recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
    learned(remedy={"mint": -1.0, "sweet-violet": 1.0, "a": 0.5, "b": 0.2})

    found = asked(alice, "optimize", diagnosis=diagnosis.pk, target_effectiveness=0.99)
    in_persian = api(alice, accept_language="fa").get(
        "/api/predictions/optimize", {"diagnosis": str(diagnosis.pk), "target_effectiveness": 0.99}
    )

    assert found["reached"] is False
    assert [row["remedy"] for row in found["predictions"]] == ["sweet-violet", "a", "b"]
    assert found["message"].startswith("Nothing reaches the target") != in_persian.json()["message"]
    assert "هدف" in in_persian.json()["message"]


def test_before_training_the_evidence_says_how_surely(asked: Any, alice: Any, diagnosis: Any, both: Any) -> None:
    found = asked(alice, "optimize", diagnosis=diagnosis.pk, target_effectiveness=0.15)

    # Nobody reported: the prior of a recommendation under the flat one is narrower at each level.
    chance = found["predictions"][0]["chance_of_reaching"]
    assert found["reached"] is (chance >= 0.8)
    strength = 2.0
    for _ in range(3):
        strength = (strength + 1) * 11 / (strength + 11) - 1
    assert chance == pytest.approx(beta.sf(0.15, strength / 2, strength / 2))


@pytest.mark.parametrize(("target", "reached"), [(0, True), (1, False)])
def test_the_ends_of_the_range_are_targets(
    asked: Any, alice: Any, diagnosis: Any, both: Any, learned: Any, target: int, reached: bool
) -> None:
    learned(remedy={"mint": -1.0})

    found = asked(alice, "optimize", diagnosis=diagnosis.pk, target_effectiveness=target)

    assert found["reached"] is reached
    assert {row["chance_of_reaching"] for row in found["predictions"]} == {float(reached)}


@pytest.mark.parametrize("target", ["", "x", "-0.1", "1.1", "NaN", "nan", "inf", "-inf", "1e400", "0.5.5", "\0"])
def test_a_target_is_a_number_from_0_to_1(api: Any, alice: Any, diagnosis: Any, target: str) -> None:
    answer = api(alice).get(
        "/api/predictions/optimize", {"diagnosis": str(diagnosis.pk), "target_effectiveness": target}
    )

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["target_effectiveness"])


def test_what_is_left_out_is_not_chosen(
    asked: Any, alice: Any, sam: Any, diagnosis: Any, both: Any, violet: Any
) -> None:
    violet.is_active = False
    save_term(actor=sam, term=violet)

    found = asked(alice, "optimize", diagnosis=diagnosis.pk, target_effectiveness=0)

    assert [row["remedy"] for row in found["predictions"]] == ["mint"]
    assert [row["code"] for row in found["left_out"]] == ["withdrawn"]


def test_with_nothing_to_choose_from_nothing_is_reached(asked: Any, alice: Any, diagnosis: Any) -> None:
    found = asked(alice, "optimize", diagnosis=diagnosis.pk, target_effectiveness=0.5)

    assert (found["reached"], found["predictions"]) == (False, [])
    assert found["message"] == "There is no open recommendation to choose from."


def test_an_outsider_learns_nothing(api: Any, charlie: Any, dora: Any, diagnosis: Any, both: Any) -> None:
    asked = {"diagnosis": str(diagnosis.pk), "target_effectiveness": 0.5}

    assert [api(user).get("/api/predictions/optimize", asked).status_code for user in (charlie, dora)] == [404, 404]
