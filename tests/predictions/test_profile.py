from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import recommend
from diagnoses.models import Remedy
from feedback.actions import submit, withdraw


@pytest.fixture
def lived(alice: Any, bob: Any, diagnosis: Any, both: Any) -> Any:
    """Alice's experience: violet 4 of 4, mint 1 of 5, a tea 0 of 1."""
    tea = Remedy.objects.create(slug="tea", name_en="Tea", name_fa="چای", kind="dietary")
    recommendations = [*both, recommend(actor=bob, diagnosis=diagnosis, remedy=tea)]
    for recommendation, ratings in zip(recommendations, [[5, 1, 1, 1, 2], [5, 4, 3, 5], [2]], strict=True):
        for rating in ratings:
            submit(actor=alice, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3)


def test_it_tells_what_helped_this_patient(asked: Any, alice: Any, patient: Any, lived: None) -> None:
    found = asked(alice, f"profile/{patient.pk}")

    assert (found["mizaj"], found["mizaj_name"], found["model_version"]) == ("warm_dry", "warm and dry (safrawi)", None)
    assert found["overall"] == {"reports": 10, "success_rate": 0.5, "odds_factor": None}
    kinds = {row["kind"]: (row["reports"], row["success_rate"]) for row in found["kinds"]}
    assert kinds["herbal"] == (9, 5 / 9) and kinds["dietary"] == (1, 0.0) and kinds["drug"] == (0, None)
    assert [row["remedy"] for row in found["best"]] == ["sweet-violet"]
    assert [row["remedy"] for row in found["worst"]] == ["mint", "tea"]  # one report says little


def test_the_models_leaning_is_a_factor_on_the_odds(
    asked: Any, bob: Any, patient: Any, lived: None, learned: Any
) -> None:
    hex = patient.pk.hex
    learned(patient={hex: 0.5}, patient_kind={f"{hex}|herbal": -0.25, "other|dietary": 1.0})

    found = asked(bob, f"profile/{patient.pk}")

    assert found["model_version"] == 1
    assert found["overall"]["odds_factor"] == pytest.approx(1.6487, abs=1e-4)
    factors = {row["kind"]: row["odds_factor"] for row in found["kinds"]}
    assert factors["herbal"] == pytest.approx(0.7788, abs=1e-4)
    assert factors["dietary"] is None


def test_what_was_withdrawn_taught_nothing(asked: Any, alice: Any, patient: Any, both: Any) -> None:
    report, _ = submit(actor=alice, recommendation_id=both[0].pk, rating=5, symptom_improvement=3)
    withdraw(actor=alice, feedback=report)

    found = asked(alice, f"profile/{patient.pk}")

    assert found["overall"]["reports"] == 0 and found["best"] == found["worst"] == []


def test_others_reports_are_not_ones_own(asked: Any, alice: Any, patient: Any, history: None) -> None:
    assert asked(alice, f"profile/{patient.pk}")["overall"]["reports"] == 0


def test_it_is_for_the_patient_and_who_treats_them(
    api: Any, alice: Any, bob: Any, charlie: Any, dora: Any, patient: Any
) -> None:
    path = f"/api/predictions/profile/{patient.pk}"

    assert [api(user).get(path).status_code for user in (alice, bob, charlie, dora)] == [200, 200, 404, 404]


def test_it_asks_as_often_for_many_reports(
    api: Any, alice: Any, bob: Any, diagnosis: Any, patient: Any, both: Any, django_assert_num_queries: Any
) -> None:
    client, path = api(alice), f"/api/predictions/profile/{patient.pk}"
    client.get(path)
    for recommendation in both:
        submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=3)

    with django_assert_num_queries(4):  # session, patient, reports, remedies
        assert len(client.get(path).json()["best"]) == 2
