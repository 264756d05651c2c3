from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import create_patient, recommend, record_diagnosis, save_term, stop_recommendation
from diagnoses.models import Remedy
from feedback.actions import Report, submit, submit_history
from predictions.actions import activate_model, store_model
from predictions.engine import FORMAT
from predictions.history import training_reports
from predictions.models import PredictionModel
from predictions.training import train


def ranking(api: Any, user: Any, diagnosis: Any, **query: str) -> dict[str, Any]:
    answer = api(user).get("/api/predictions/", {"diagnosis": str(diagnosis.pk)} | query)
    assert answer.status_code == 200, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_with_an_empty_database_the_guess_is_even_and_says_so(api: Any, alice: Any, diagnosis: Any, both: Any) -> None:
    found = ranking(api, alice, diagnosis)

    assert found["model_version"] is None
    for row in found["predictions"]:
        assert row["predicted_effectiveness"] == 0.5
        assert row["evidence"] == {
            "source": "prior",
            "method": "effectiveness",
            "feedbacks": 0,
            "similar_patients": None,
        }
        assert row["reasons"] == ["Nobody has reported on this yet; the estimate is a cautious guess."]


def test_before_training_the_evidence_ranks(api: Any, alice: Any, diagnosis: Any, both: Any, history: None) -> None:
    found = ranking(api, alice, diagnosis)["predictions"]

    assert [row["remedy"] for row in found] == ["sweet-violet", "mint"]
    assert found[0]["evidence"]["method"] == "effectiveness"
    assert found[0]["evidence"]["feedbacks"] == 40
    assert found[0]["evidence"]["similar_patients"] == 40


def test_ones_own_report_moves_the_ranking(api: Any, alice: Any, diagnosis: Any, both: Any) -> None:
    before = ranking(api, alice, diagnosis)["predictions"]
    submit(actor=alice, recommendation_id=both[1].pk, rating=5, symptom_improvement=5)
    after = ranking(api, alice, diagnosis)["predictions"]

    assert before[0]["score"] == 0.5
    assert (after[0]["remedy"], after[0]["evidence"]["source"]) == ("sweet-violet", "own_history")
    assert after[0]["score"] > 0.5


def test_a_trained_model_ranks_and_gives_reasons(
    api: Any, alice: Any, diagnosis: Any, both: Any, model: PredictionModel
) -> None:
    found = ranking(api, alice, diagnosis)

    assert found["model_version"] == model.version == 1
    best, worst = found["predictions"]
    assert (best["remedy"], worst["remedy"]) == ("sweet-violet", "mint")
    assert best["interval"][0] < best["predicted_effectiveness"] < best["interval"][1]
    assert best["evidence"]["method"] == "model"
    assert best["reasons"] and best["reasons"] != worst["reasons"]


def test_reasons_come_in_persian(api: Any, alice: Any, diagnosis: Any, both: Any) -> None:
    client = api(alice, accept_language="fa")
    found = client.get("/api/predictions/", {"diagnosis": str(diagnosis.pk)}).json()["predictions"][0]

    assert found["reasons"] == ["هنوز کسی دربارهٔ این گزارشی نداده است؛ این برآورد حدسی محتاطانه است."]


def test_the_patient_is_addressed_and_others_are_told_about_the_patient(
    api: Any, alice: Any, bob: Any, sam: Any, diagnosis: Any, both: Any
) -> None:
    for remedy in both:
        submit(actor=alice, recommendation_id=remedy.pk, rating=5, symptom_improvement=5)

    told = [ranking(api, user, diagnosis)["predictions"][0]["reasons"][0] for user in (alice, bob, sam)]

    assert told[0].startswith("Estimated from your own reports")
    assert told[1] == told[2] and told[1].startswith("Estimated from this patient's own reports")


def test_reasons_of_the_model_are_worded_for_the_reader_too(
    api: Any, alice: Any, bob: Any, diagnosis: Any, both: Any, history: None
) -> None:
    for remedy in both * 10:
        submit(actor=alice, recommendation_id=remedy.pk, rating=1, symptom_improvement=1)
    store_model(train(training_reports(), None))

    to_alice, to_bob = (ranking(api, user, diagnosis)["predictions"][0]["reasons"] for user in (alice, bob))

    assert "People of your sex tend to respond less." in to_alice
    assert to_bob == [reason.replace("of your", "of this") for reason in to_alice]


def test_levels_rank_by_another_part_of_the_posterior(
    api: Any, alice: Any, diagnosis: Any, both: Any, model: PredictionModel
) -> None:
    scores = [
        [row["score"] for row in ranking(api, alice, diagnosis, optimization_level=level)["predictions"]]
        for level in ("conservative", "balanced", "aggressive")
    ]

    assert all(low < mid < high for low, mid, high in zip(*scores, strict=True))


def test_a_report_ranks_anew_without_waiting_for_the_next_training(
    api: Any, alice: Any, diagnosis: Any, both: Any, bob: Any, headache: Any, mint: Any, violet: Any
) -> None:
    reports = []
    for number in range(40):  # whom a remedy helps, it helps again, and violet helps some more of them
        patient = create_patient(actor=None, full_name="P", care_team=[bob])
        other = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        for remedy, good in ((violet, number % 5 < 4), (mint, number % 2 == 0)):
            recommendation = recommend(actor=bob, diagnosis=other, remedy=remedy)
            reports += [Report(recommendation.pk, rating=5 if good else 1, symptom_improvement=3)] * 3
    submit_history(reports=reports)
    model = store_model(train(training_reports(), None))
    before = ranking(api, alice, diagnosis)["predictions"]

    for _ in range(3):
        submit(actor=alice, recommendation_id=both[1].pk, rating=1, symptom_improvement=1)

    after = ranking(api, alice, diagnosis)["predictions"]
    assert [row["remedy"] for row in before] == ["sweet-violet", "mint"]
    assert [row["remedy"] for row in after] == ["mint", "sweet-violet"]
    assert PredictionModel.objects.get() == model


def test_what_somebody_else_reported_since_is_learned_at_the_next_training(
    api: Any, alice: Any, bob: Any, headache: Any, mint: Any, diagnosis: Any, both: Any, model: PredictionModel
) -> None:
    before = ranking(api, alice, diagnosis)["predictions"]
    patient = create_patient(actor=None, full_name="P", care_team=[bob])
    other = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
    recommendation = recommend(actor=bob, diagnosis=other, remedy=mint)
    submit_history(reports=[Report(recommendation.pk, rating=5, symptom_improvement=5)] * 6)

    after = ranking(api, alice, diagnosis)["predictions"]
    assert [row["score"] for row in after] == [row["score"] for row in before]


def test_what_was_stopped_is_not_ranked(api: Any, alice: Any, bob: Any, diagnosis: Any, both: Any) -> None:
    stop_recommendation(actor=bob, recommendation=both[0])

    assert [row["remedy"] for row in ranking(api, alice, diagnosis)["predictions"]] == ["sweet-violet"]


def test_what_left_the_catalogue_is_not_ranked_and_named(
    api: Any, alice: Any, sam: Any, diagnosis: Any, both: Any, mint: Any
) -> None:
    mint.is_active = False
    save_term(actor=sam, term=mint)

    found = ranking(api, alice, diagnosis)

    assert [row["remedy"] for row in found["predictions"]] == ["sweet-violet"]
    assert found["left_out"] == [
        {
            "recommendation": str(both[0].pk),
            "remedy": "mint",
            "remedy_name": "Mint",
            "code": "withdrawn",
            "reason": "This remedy is no longer in use in the catalogue.",
        }
    ]


def test_without_recommendations_there_is_nothing_to_rank(api: Any, alice: Any, diagnosis: Any) -> None:
    assert (found := ranking(api, alice, diagnosis))["predictions"] == found["left_out"] == []


@pytest.mark.parametrize("query", [{"optimization_level": "reckless"}, {"diagnosis": "x"}, {"diagnosis": ""}])
def test_a_question_nobody_can_answer_is_refused(api: Any, alice: Any, diagnosis: Any, query: dict[str, str]) -> None:
    answer = api(alice).get("/api/predictions/", {"diagnosis": str(diagnosis.pk)} | query)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"


def test_a_ranking_asks_as_often_for_many_recommendations(
    api: Any, alice: Any, bob: Any, diagnosis: Any, both: Any, django_assert_max_num_queries: Any
) -> None:
    client = api(alice)
    client.get("/api/predictions/", {"diagnosis": str(diagnosis.pk)})  # the model is known now, and what was told
    with django_assert_max_num_queries(3):  # session, diagnosis, recommendations: the ranking is remembered
        client.get("/api/predictions/", {"diagnosis": str(diagnosis.pk)})
    for name in ("a", "b", "c"):
        remedy = Remedy.objects.create(slug=name, name_en=name, name_fa=name, kind="herbal")
        recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
    # session, diagnosis, recommendations, evidence, what was shown and told last, and to keep what is new
    with django_assert_max_num_queries(7):
        assert len(client.get("/api/predictions/", {"diagnosis": str(diagnosis.pk)}).json()["predictions"]) == 5


def test_a_damaged_model_is_refused_and_the_present_one_serves_on(
    api: Any, alice: Any, diagnosis: Any, both: Any, model: PredictionModel
) -> None:
    ranking(api, alice, diagnosis)
    damaged = PredictionModel.objects.create(
        version=2, training_size=1, holdout_size=1, coefficients={"format": FORMAT, "groups": "gone"}
    )
    activate_model(damaged)

    assert ranking(api, alice, diagnosis)["model_version"] == 1
