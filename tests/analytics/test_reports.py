from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Remedy
from feedback.actions import submit


@pytest.fixture
def clinic(bob: Any, headache: Condition) -> Any:
    """`clinic(remedy, ratings, mizaj=…)`: one patient per rating reports on the remedy."""

    def reports(remedy: Remedy, ratings: list[int], mizaj: str = "warm", condition: Condition = headache) -> None:
        for rating in ratings:
            patient = create_patient(actor=None, full_name="P", mizaj_type=mizaj, care_team=[bob])
            diagnosis = record_diagnosis(actor=bob, patient=patient, condition=condition, severity=2)
            recommendation = recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
            submit(actor=None, recommendation=recommendation, rating=rating, symptom_improvement=rating)

    return reports


def test_a_recommendation_says_how_effective_and_how_sure(api: Any, alice: Any, recommendation: Any) -> None:
    for rating in (5, 4, 1):
        submit(actor=alice, recommendation=recommendation, rating=rating, symptom_improvement=3)

    found = api(alice).get(f"/api/analytics/recommendations/{recommendation.pk}").json()

    assert (found["sample_size"], found["success_rate"], found["average_rating"]) == (3, 2 / 3, 10 / 3)
    assert found["interval"][0] < found["effectiveness_score"] < found["interval"][1]
    assert found["confidence"] == pytest.approx(1 - found["interval"][1] + found["interval"][0])
    assert found["trend"] == "new"


def test_a_diagnosis_sums_its_recommendations(api: Any, alice: Any, bob: Any, recommendation: Any, violet: Any) -> None:
    other = recommend(actor=bob, diagnosis=recommendation.diagnosis, remedy=violet)
    submit(actor=alice, recommendation=recommendation, rating=5, symptom_improvement=3)
    submit(actor=alice, recommendation=other, rating=1, symptom_improvement=3)

    found = api(alice).get(f"/api/analytics/diagnoses/{recommendation.diagnosis_id}").json()

    assert (found["overall"]["sample_size"], found["overall"]["success_rate"]) == (2, 0.5)
    assert [row["remedy"] for row in found["recommendations"]] == ["mint", "sweet-violet"]


def test_four_patients_are_too_few_to_be_described(api: Any, clinic: Any, mint: Remedy) -> None:
    clinic(mint, [5, 5, 5, 5])
    assert api().get("/api/analytics/remedies/mint").json()["effectiveness"] is None
    assert api().get("/api/analytics/most-effective").json() == []

    clinic(mint, [5])
    assert api().get("/api/analytics/remedies/mint").json()["effectiveness"]["sample_size"] == 5


def test_many_reports_of_one_patient_stay_unshown(api: Any, alice: Any, recommendation: Any) -> None:
    for _ in range(12):
        submit(actor=alice, recommendation=recommendation, rating=5, symptom_improvement=5)

    assert api().get("/api/analytics/remedies/mint").json()["effectiveness"] is None
    assert api().get("/api/analytics/conditions/headache").json()["effectiveness"] is None


def test_a_hidden_part_cannot_be_had_by_subtraction(api: Any, clinic: Any, mint: Remedy) -> None:
    clinic(mint, [5] * 6, mizaj="warm")
    clinic(mint, [4] * 7, mizaj="cold")
    clinic(mint, [1], mizaj="wet")

    shown = [row["mizaj"] for row in api().get("/api/analytics/remedies/mint").json()["by_mizaj"]]

    assert shown == ["cold"]  # "warm" is held back too: the whole minus both would be the one patient


def test_best_and_worst_are_ranked_by_the_cautious_end(api: Any, clinic: Any, mint: Remedy, violet: Remedy) -> None:
    lucky = Remedy.objects.create(slug="lucky", name_en="Lucky", name_fa="خوش‌شانس", kind="herbal")
    clinic(lucky, [5] * 5)
    clinic(mint, [5] * 40 + [1] * 4)
    clinic(violet, [1] * 20)

    best = [row["remedy"] for row in api().get("/api/analytics/most-effective").json()]
    worst = [row["remedy"] for row in api().get("/api/analytics/worst-performing?limit=1").json()]

    assert best == ["mint", "lucky", "sweet-violet"]
    assert worst == ["sweet-violet"]


def test_a_list_costs_the_same_for_many_remedies(api: Any, clinic: Any, django_assert_num_queries: Any) -> None:
    for name in ("a", "b", "c", "d"):
        clinic(Remedy.objects.create(slug=name, name_en=name, name_fa=name, kind="herbal"), [4] * 5)

    with django_assert_num_queries(4):
        assert len(api().get("/api/analytics/most-effective").json()) == 4


def test_names_come_in_the_callers_language(api: Any, clinic: Any, mint: Remedy) -> None:
    clinic(mint, [4] * 5)

    row = api(accept_language="fa").get("/api/analytics/most-effective").json()[0]

    assert row["remedy_name"] == "نعناع"
