"""The clinic at a glance, compared with counting by hand."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.summary import summarize
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Diagnosis, Recommendation, Remedy
from feedback.actions import look_at, submit, withdraw
from feedback.models import Feedback, SevereFlag

SUMMARY = "/api/analytics/summary"


@pytest.fixture
def prescribe(bob: Any, headache: Condition) -> Any:
    """`prescribe(remedy)`: recommended to one more patient, `days_ago`."""

    def made(remedy: Remedy, days_ago: int = 0) -> Recommendation:
        patient = create_patient(actor=None, full_name="P", care_team=[bob])
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        recommendation = recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
        recommendation.created_at = timezone.now() - timedelta(days=days_ago)
        recommendation.save(update_fields=["created_at"])
        return recommendation

    return made


def report(recommendation: Recommendation, rating: int, days_ago: int = 0, **said: Any) -> Feedback:
    at = timezone.now() - timedelta(days=days_ago)
    said = {"symptom_improvement": rating} | said
    return submit(actor=None, recommendation_id=recommendation.pk, rating=rating, at=at, **said)[0]


@pytest.fixture
def history(prescribe: Any, mint: Remedy, violet: Remedy, nausea: Any) -> None:
    """Twelve patients, ninety reports over 200 days with everything a report may say, some withdrawn."""
    rng = random.Random(1037)
    recommendations = [prescribe(remedy) for remedy in (mint, violet) for _ in range(6)]
    for _ in range(90):
        said: dict[str, Any] = {"compliance": rng.choice([None, 1, 3, 5])}
        if rng.random() < 0.3:
            said["side_effects"] = {nausea: rng.randint(1, 5)}
        days_ago = rng.choice([0, 5, 6, 7, 20, 29, 30, 59, 60, 89, 90, 179, 200])
        feedback = report(rng.choice(recommendations), rng.randint(1, 5), days_ago, **said)
        if rng.random() < 0.1:
            withdraw(actor=None, feedback=feedback)


def mean(values: list[Any]) -> Any:
    return pytest.approx(sum(values) / len(values))


@pytest.mark.parametrize("window", ["7", "30", "90", "all"])
def test_the_numbers_are_those_of_counting(api: Any, sam: Any, history: None, window: str) -> None:
    found = api(sam).get(f"{SUMMARY}?window={window}").json()

    days = 10_000 if window == "all" else int(window)
    reports = list(Feedback.objects.standing().prefetch_related("side_effects"))
    ago = {f: (timezone.localdate() - timezone.localdate(f.created_at)).days for f in reports}
    within = [f for f in reports if ago[f] < days]
    severities = [[effect.severity for effect in f.side_effects.all()] for f in within]
    assert found["reports"] == found["sample_size"] == len(within)
    assert found["reports_before"] == (None if window == "all" else sum(days <= ago[f] < 2 * days for f in reports))
    assert found["patients"] == len({f.patient_id for f in within})
    assert found["success_rate"] == mean([f.rating >= 3 for f in within])
    assert found["average_rating"] == mean([f.rating for f in within])
    assert found["average_improvement"] == mean([f.symptom_improvement for f in within])
    assert found["average_compliance"] == mean([f.compliance for f in within if f.compliance])
    assert found["side_effect_rate"] == mean([bool(some) for some in severities])
    assert found["severe_rate"] == mean([max(some, default=0) >= 4 for some in severities])
    assert found["interval"][0] < found["effectiveness_score"] < found["interval"][1]
    counted: dict[date, int] = {}
    for feedback in within:
        day = timezone.localdate(feedback.created_at)
        counted[day] = counted.get(day, 0) + 1
    assert [(row["day"], row["reports"]) for row in found["daily"]] == [
        (day.isoformat(), counted[day]) for day in sorted(counted)
    ]


def test_the_trend_of_all_reports_has_its_probability(api: Any, sam: Any, prescribe: Any, mint: Remedy) -> None:
    recommendation = prescribe(mint)
    for days_ago, rating in [(40, 1)] * 12 + [(2, 5)] * 12:
        report(recommendation, rating, days_ago)

    found = api(sam).get(SUMMARY).json()

    assert found["trend"] == "improving" and found["trend_probability"] > 0.99


def test_the_remedies_that_stand_out_are_those_of_the_lists(api: Any, sam: Any, prescribe: Any) -> None:
    for name, successes in zip("abcdefgh", range(8), strict=True):
        remedy = Remedy.objects.create(slug=name, name_en=name, name_fa=name, kind="herbal")
        recommendations = [prescribe(remedy) for _ in range(5)]
        for number in range(10):
            report(recommendations[number % 5], 5 if number < successes else 1)
    for number in range(20):
        report(recommendations[number % 5], 1, days_ago=40)

    found = api(sam).get(SUMMARY).json()

    def slugs(path: str) -> list[str]:
        return [row["remedy"] for row in api(sam).get(f"/api/analytics/{path}").json()]

    assert [row["remedy"] for row in found["best"]] == slugs("most-effective?limit=3")
    assert [row["remedy"] for row in found["worst"]] == slugs("worst-performing?limit=3")
    assert [row["remedy"] for row in found["moving"]] == slugs("trending") == ["h"]
    assert found["worst"][0]["alert"]
    assert api(sam).get(f"{SUMMARY}?min_samples=11").json()["worst"] == []


def test_no_remedy_is_among_the_best_and_the_worst(api: Any, sam: Any, history: None) -> None:
    found = api(sam).get(SUMMARY).json()

    assert (len(found["best"]), found["worst"]) == (2, [])


def test_four_patients_are_too_few_for_the_lists(api: Any, sam: Any, prescribe: Any, mint: Remedy) -> None:
    for recommendation in [prescribe(mint) for _ in range(4)]:
        report(recommendation, 5), report(recommendation, 5)

    found = api(sam).get(SUMMARY).json()

    assert (found["reports"], found["patients"], found["best"]) == (8, 4, [])


def test_what_waits_for_somebody_is_counted(api: Any, sam: Any, prescribe: Any, mint: Remedy, nausea: Any) -> None:
    silent, spoken, forgotten, fresh, ended, resolved = (prescribe(mint, days) for days in (20, 20, 20, 1, 20, 20))
    report(silent, 4, days_ago=15)
    report(spoken, 4, days_ago=1, side_effects={nausea: 5})
    withdraw(actor=None, feedback=report(forgotten, 4, side_effects={nausea: 4}))
    look_at(actor=sam, flag=SevereFlag.objects.get(feedback=report(fresh, 2, side_effects={nausea: 4})))
    Recommendation.objects.filter(pk=ended.pk).update(status="completed")
    Diagnosis.objects.filter(pk=resolved.diagnosis_id).update(status="resolved")

    found = api(sam).get(SUMMARY).json()

    waiting = ("open_severe_side_effects", "active_diagnoses", "silent_recommendations")
    assert [found[name] for name in waiting] == [1, 5, 2]


def test_before_the_first_report_there_is_an_answer(api: Any, sam: Any) -> None:
    found = api(sam).get(SUMMARY).json()

    assert (found["reports"], found["reports_before"], found["patients"], found["daily"]) == (0, 0, 0, [])
    assert (found["trend"], found["success_rate"], found["best"]) == ("new", None, [])


def test_it_costs_the_same_for_many_reports(prescribe: Any) -> None:
    def queries() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            summarize()
        return len(asked)

    def grow(names: str, reports: int) -> None:
        for name in names:
            remedy = Remedy.objects.create(slug=name, name_en=name, name_fa=name, kind="herbal")
            for _ in range(5):
                recommendation = prescribe(remedy)
                for number in range(reports):
                    report(recommendation, 1 + number % 5, days_ago=number)

    grow("a", 1)
    few = queries()
    grow("bcdef", 8)

    assert few == queries() <= 10


def test_staff_see_it_while_redis_is_away(api: Any, sam: Any, history: None, redis_is_away: Any) -> None:
    with_redis = api(sam).get(SUMMARY).json()
    redis_is_away()

    assert api(sam).get(SUMMARY).json() == with_redis
