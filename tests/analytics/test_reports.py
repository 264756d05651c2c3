from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Remedy
from feedback.actions import submit


@pytest.fixture
def clinic(bob: Any, headache: Condition) -> Any:
    """`clinic(remedy, ratings, mizaj=…)`: one patient per rating reports on the remedy."""

    def reports(
        remedy: Remedy, ratings: list[int], mizaj: str = "warm", condition: Condition = headache, **said: Any
    ) -> None:
        for rating in ratings:
            patient = create_patient(actor=None, full_name="P", mizaj_type=mizaj, care_team=[bob])
            diagnosis = record_diagnosis(actor=bob, patient=patient, condition=condition, severity=2)
            recommendation = recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
            submit(actor=None, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=rating, **said)

    return reports


def test_a_recommendation_says_how_effective_and_how_sure(api: Any, alice: Any, recommendation: Any) -> None:
    for rating in (5, 4, 1):
        submit(actor=alice, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3)

    found = api(alice).get(f"/api/analytics/recommendations/{recommendation.pk}").json()

    assert (found["sample_size"], found["success_rate"], found["average_rating"]) == (3, 2 / 3, 10 / 3)
    assert found["interval"][0] < found["effectiveness_score"] < found["interval"][1]
    assert found["confidence"] == pytest.approx(1 - found["interval"][1] + found["interval"][0])
    assert found["trend"] == "new"


def test_a_diagnosis_sums_its_recommendations(api: Any, alice: Any, bob: Any, recommendation: Any, violet: Any) -> None:
    other = recommend(actor=bob, diagnosis=recommendation.diagnosis, remedy=violet)
    submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=3)
    submit(actor=alice, recommendation_id=other.pk, rating=1, symptom_improvement=3)

    found = api(alice).get(f"/api/analytics/diagnoses/{recommendation.diagnosis_id}").json()

    assert (found["overall"]["sample_size"], found["overall"]["success_rate"]) == (2, 0.5)
    assert [row["remedy"] for row in found["recommendations"]] == ["mint", "sweet-violet"]


def test_the_days_of_a_recommendation_come_oldest_first(api: Any, alice: Any, recommendation: Any) -> None:
    today = timezone.now()
    for rating, days in ((5, 0), (2, 3), (4, 3), (1, 100)):
        at = today - timedelta(days=days)
        submit(actor=alice, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3, at=at)

    client, base = api(alice), "/api/analytics"
    of_one = client.get(f"{base}/recommendations/{recommendation.pk}").json()["daily"]
    of_all = client.get(f"{base}/diagnoses/{recommendation.diagnosis_id}?window=all").json()["daily"]

    assert [(day["reports"], day["successes"], day["average_rating"]) for day in of_one] == [(2, 1, 3), (1, 1, 5)]
    assert [day["reports"] for day in of_all] == [1, 2, 1]
    assert of_one[1]["day"] == timezone.localdate(today).isoformat()


def test_four_patients_are_too_few_to_be_described(api: Any, clinic: Any, mint: Remedy) -> None:
    clinic(mint, [5, 5, 5, 5])
    assert api().get("/api/analytics/remedies/mint").json()["effectiveness"] is None
    assert api().get("/api/analytics/most-effective").json() == []

    clinic(mint, [5])
    assert api().get("/api/analytics/remedies/mint").json()["effectiveness"]["sample_size"] == 5


def test_many_reports_of_one_patient_stay_unshown(api: Any, alice: Any, recommendation: Any) -> None:
    for _ in range(12):
        submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5)

    assert api().get("/api/analytics/remedies/mint").json()["effectiveness"] is None
    assert api().get("/api/analytics/conditions/headache").json()["effectiveness"] is None


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

    with django_assert_num_queries(3):
        assert len(api().get("/api/analytics/most-effective").json()) == 4


def test_names_come_in_the_callers_language(api: Any, clinic: Any, mint: Remedy) -> None:
    clinic(mint, [4] * 5)

    row = api(accept_language="fa").get("/api/analytics/most-effective").json()[0]

    assert row["remedy_name"] == "نعناع"


@pytest.mark.parametrize(("window", "reports"), [("7", 5), ("30", 10), ("90", 15), ("all", 20)])
def test_the_clinic_may_ask_for_other_days(
    api: Any, bob: Any, clinic: Any, mint: Remedy, window: str, reports: int
) -> None:
    for days in (0, 20, 60, 300):
        clinic(mint, [4] * 5, at=timezone.now() - timedelta(days=days))

    address = f"/api/analytics/remedies/mint?window={window}"

    assert api(bob).get(address).json()["effectiveness"]["sample_size"] == reports
    assert (
        api(bob).get(f"/api/analytics/most-effective?window={window}").json()[0]["effectiveness"]["sample_size"]
        == reports
    )
    if window != "90":
        assert api().get(address).json()["error"]["fields"]["window"] == [
            "Only the clinic may ask for other days than the last 90."
        ]


def test_a_window_that_is_none_is_refused(api: Any, bob: Any, mint: Remedy) -> None:
    assert api(bob).get("/api/analytics/remedies/mint?window=8").status_code == 400


def test_a_remedy_that_surely_does_badly_raises_an_alert(api: Any, clinic: Any, mint: Remedy, violet: Remedy) -> None:
    clinic(mint, [1] * 30)
    clinic(violet, [5] * 30)

    worst = api().get("/api/analytics/worst-performing").json()

    assert [row["alert"] for row in worst] == [
        "At most 32% of the reports call it a success, even in the best case.",
        "",
    ]


def test_severe_side_effects_come_before_many(api: Any, clinic: Any, mint: Remedy, violet: Remedy, nausea: Any) -> None:
    clinic(violet, [4] * 12, side_effects={nausea: 1})
    clinic(mint, [4] * 12, side_effects={nausea: 5})

    assert [row["remedy"] for row in api().get("/api/analytics/side-effects").json()] == ["mint", "sweet-violet"]


def test_all_active_diagnoses_of_a_patient_are_told_at_once(
    api: Any, alice: Any, bob: Any, recommendation: Any, headache: Condition, django_assert_max_num_queries: Any
) -> None:
    submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5)
    for _ in range(3):
        record_diagnosis(actor=bob, patient=recommendation.diagnosis.patient, condition=headache, severity=2)
    client = api(alice)

    with django_assert_max_num_queries(7):
        told = client.get("/api/analytics/overall").json()

    one = client.get(f"/api/analytics/diagnoses/{recommendation.diagnosis_id}").json()["overall"]
    assert len(told) == 4
    assert {"diagnosis": str(recommendation.diagnosis_id), "overall": one} in told
    assert api(bob).get("/api/analytics/overall").json() == []
