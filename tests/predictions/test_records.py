"""What was shown is kept: once for as long as it stays the same, and never at the cost of the answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import log
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from diagnoses.actions import recommend
from diagnoses.models import Diagnosis
from feedback.actions import submit
from predictions.actions import activate_model, record_shown
from predictions.engine import FORMAT
from predictions.levels import Level
from predictions.models import PredictionModel, PredictionRecord
from predictions.ranking import Ranking, rank
from predictions.registry import registry


@pytest.fixture
def both(bob: Any, diagnosis: Any, mint: Any, violet: Any) -> list[Any]:
    return [recommend(actor=bob, diagnosis=diagnosis, remedy=remedy) for remedy in (mint, violet)]


@pytest.fixture
def show(api: Any, alice: Any, diagnosis: Any) -> Any:
    """`show()`: Alice looks at her ranking."""

    def look(user: Any = alice, **query: str) -> dict[str, Any]:
        answer = api(user).get("/api/predictions/", {"diagnosis": str(diagnosis.pk)} | query)
        assert answer.status_code == 200, answer.content
        return dict(answer.json())

    return look


def use_model(version: int, chance: float) -> None:
    """A model that says the same of everything."""
    always = {"format": FORMAT, "intercept": log(chance / (1 - chance)), "intercept_variance": 1e-12, "groups": []}
    PredictionModel.objects.create(version=version, training_size=1, holdout_size=1, coefficients=always)
    go_back_to(version)


def go_back_to(version: int) -> None:
    activate_model(PredictionModel.objects.get(version=version))
    registry.forget()  # there is no commit here that would say so


def test_what_was_shown_is_kept_with_who_it_was_shown_to(show: Any, both: Any, patient: Any) -> None:
    patient.birth_date = timezone.localdate() - timedelta(days=365 * 35)
    patient.save(update_fields=["birth_date"])

    shown = {row["recommendation"]: row for row in show()["predictions"]}

    records = list(PredictionRecord.objects.all())
    assert {str(record.recommendation_id) for record in records} == shown.keys()
    for record in records:
        row = shown[str(record.recommendation_id)]
        assert record.predicted == pytest.approx(row["predicted_effectiveness"], abs=0.0005)
        assert [record.lower, record.upper] == pytest.approx(row["interval"], abs=0.0005)
        assert (record.model_version, record.number, record.feedback) == (0, 1, None)
        assert (record.sex, record.age_band, record.mizaj) == ("female", "<45", "warm_dry")
        assert (record.patient, record.diagnosis_id) == (patient, record.recommendation.diagnosis_id)


def test_the_same_shown_again_is_one_record_and_no_write(show: Any, both: Any, bob: Any) -> None:
    show()
    before = list(PredictionRecord.objects.values())

    show(bob, optimization_level="aggressive")  # levels rank, the prediction is the same

    assert list(PredictionRecord.objects.values()) == before


def test_a_new_run_begins_when_the_prediction_or_the_version_changes(show: Any, recommendation: Any) -> None:
    show()
    use_model(1, 0.5)  # says what the evidence said
    show()
    use_model(2, 0.7)
    show()
    use_model(3, 0.7004)
    show()
    go_back_to(2)
    show()

    runs = PredictionRecord.objects.order_by("number").values_list("number", "model_version", "predicted")
    assert list(runs) == [(1, 0, 0.5), (2, 1, 0.5), (3, 2, 0.7), (4, 3, 0.7), (5, 2, 0.7)]


def test_a_run_says_once_a_day_that_it_goes_on(show: Any, recommendation: Any) -> None:
    show()
    PredictionRecord.objects.update(last_shown_at=F("last_shown_at") - timedelta(hours=25))
    cache.clear()  # an hour later it does not say any more what was shown
    show()
    record = PredictionRecord.objects.get()
    assert timezone.now() - record.last_shown_at < timedelta(minutes=1)

    PredictionRecord.objects.update(last_shown_at=F("last_shown_at") - timedelta(hours=2))
    last = PredictionRecord.objects.get().last_shown_at
    cache.clear()
    show()

    assert PredictionRecord.objects.get().last_shown_at == last


def test_many_rankings_cost_as_many_queries_as_one(
    diagnosis: Any, other_diagnosis: Any, both: Any, bob: Any, mint: Any, django_assert_num_queries: Any
) -> None:
    recommend(actor=bob, diagnosis=other_diagnosis, remedy=mint)
    rankings = [rank(one, level) for one in (diagnosis, other_diagnosis) for level in Level]

    # what was shown last; the first time the records, what was told last, a savepoint, the lock (for PostgreSQL with a
    # limit), what is told now and the savepoint's end, too
    with django_assert_num_queries(8 if connection.vendor == "postgresql" else 7):
        record_shown(rankings)
    with django_assert_num_queries(1):
        record_shown(rankings)

    assert PredictionRecord.objects.count() == 3


def test_nothing_to_show_is_nothing_to_keep(show: Any, diagnosis: Any, django_assert_num_queries: Any) -> None:
    assert show()["predictions"] == []
    with django_assert_num_queries(0):
        record_shown([Ranking(diagnosis, Level.BALANCED, None, [])])
    assert not PredictionRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_answer_is_given_when_it_cannot_be_kept(show: Any, both: Any, caplog: Any) -> None:
    table = PredictionRecord._meta.db_table
    with connection.schema_editor() as editor:
        editor.alter_db_table(PredictionRecord, table, "away")
    try:
        shown = show()
    finally:
        with connection.schema_editor() as editor:
            editor.alter_db_table(PredictionRecord, "away", table)

    assert len(shown["predictions"]) == 2
    assert "could not be recorded" in caplog.text
    show()
    assert PredictionRecord.objects.count() == 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
@pytest.mark.django_db(transaction=True)
def test_who_looks_does_not_wait_for_a_long_report(show: Any, both: Any, diagnosis: Any) -> None:
    def look() -> int:
        try:
            return len(show()["predictions"])
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Diagnosis.objects.select_for_update().get(pk=diagnosis.pk)  # as a report does
        assert other.submit(look).result(timeout=20) == 2
    assert not PredictionRecord.objects.exists()

    show()

    assert PredictionRecord.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_many_who_look_at_once_write_it_once(show: Any, both: Any, caplog: Any) -> None:
    def look(_: int) -> int:
        try:
            return len(show()["predictions"])
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as many:
        assert set(many.map(look, range(12))) == {2}

    assert sorted(PredictionRecord.objects.values_list("number", flat=True)) == [1, 1]
    assert "could not be recorded" not in caplog.text


def test_what_was_shown_goes_with_the_patient(show: Any, recommendation: Any) -> None:
    show()

    PredictionRecord.objects.get().recommendation.delete()

    assert not PredictionRecord.objects.exists()


def test_what_nobody_asks_for_any_more_is_removed(show: Any, both: Any, capsys: Any) -> None:
    def pass_days(days: int) -> None:
        PredictionRecord.objects.update(
            shown_at=F("shown_at") - timedelta(days=days), last_shown_at=F("last_shown_at") - timedelta(days=days)
        )

    show()
    pass_days(700)
    use_model(1, 0.7)
    show()
    pass_days(100)
    submit(actor=None, recommendation_id=both[0].pk, rating=4, symptom_improvement=4)
    use_model(2, 0.8)
    show()

    call_command("prune_predictions", "--days", "1")

    assert capsys.readouterr().out == "2 shown predictions removed.\n"
    assert sorted(PredictionRecord.objects.values_list("number", flat=True)) == [2, 2, 3, 3]
    pass_days(800)
    call_command("prune_predictions")
    cache.clear()
    show()
    assert sorted(PredictionRecord.objects.values_list("number", flat=True)) == [1, 1]
