from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connections

from diagnoses.mizaj import Mizaj
from feedback.actions import Report, submit, submit_history, withdraw
from feedback.models import Feedback
from predictions import history
from predictions.history import reports_since, training_reports

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def reported(recommendation: Any) -> Any:
    def report(*ratings: int, **more: Any) -> None:
        submit_history(
            reports=[
                Report(recommendation.pk, rating, symptom_improvement=2, at=NOON + timedelta(hours=hour), **more)
                for hour, rating in enumerate(ratings)
            ]
        )

    return report


def test_reports_are_read_oldest_first_with_all_that_is_known_of_them(reported: Any, patient: Any) -> None:
    reported(5, 1, compliance=3)

    found = training_reports()

    assert found.outcomes.tolist() == [1, 0]
    assert np.diff(found.seconds).tolist() == [3600]
    assert found.grades.tolist() == [2, 2]
    assert found.cases.numbers["compliance"].tolist() == [3, 3]
    # mint is warm and dry in the second degree; she is diagnosed as too warm: hypot(2 + 2, -2) / 4
    assert found.cases.numbers["distance"] == pytest.approx([np.hypot(4, -2) / 4] * 2)
    told = {name: column.labels[column.codes[0]] for name, column in found.cases.tokens.items() if column.codes[0] >= 0}
    assert told == {
        "remedy": "mint",
        "kind": "herbal",
        "condition": "headache",
        "patient": patient.pk.hex,
        "mizaj": Mizaj.WARM_DRY.value,
        "sex": "female",
    }


def test_an_age_is_that_of_the_day_of_the_report(reported: Any, patient: Any) -> None:
    patient.birth_date = (NOON - timedelta(days=366 * 30)).date()
    patient.save(update_fields=["birth_date"])
    reported(5)

    bands = training_reports().cases.tokens["age_band"]

    assert bands.labels[bands.codes[0]] == "<45"


def test_no_reports_are_no_error(db: None) -> None:
    assert len(training_reports()) == 0
    assert training_reports().cases.columns()["remedy"].shape == (0,)


def test_chunks_leave_no_trace(reported: Any, monkeypatch: Any) -> None:
    reported(5, 1, 3, 2, 4)
    whole = training_reports()

    monkeypatch.setattr(history, "CHUNK", 2)

    parts = training_reports()
    assert parts.outcomes.tolist() == whole.outcomes.tolist()
    assert parts.cases.tokens["remedy"].codes.tolist() == whole.cases.tokens["remedy"].codes.tolist()


@pytest.mark.django_db(transaction=True)
def test_who_reports_while_training_reads_neither_waits_nor_is_read(
    reported: Any, recommendation: Any, alice: Any, monkeypatch: Any
) -> None:
    reported(5, 1, 3, 2)
    monkeypatch.setattr(history, "CHUNK", 2)
    others = []

    def report_meanwhile(_: str) -> None:
        with ThreadPoolExecutor(1) as thread:
            others.append(thread.submit(_report, alice, recommendation).result(timeout=20))

    found = training_reports(report_meanwhile)

    assert len(others) >= 2
    assert len(found) == 4
    assert Feedback.objects.count() == 4 + len(others)


def _report(alice: Any, recommendation: Any) -> Any:
    try:
        return submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5)
    finally:
        connections.close_all()


def test_what_was_reported_since_is_found_for_many_patients_in_one_query(
    reported: Any, recommendation: Any, patient: Any, alice: Any, django_assert_num_queries: Any
) -> None:
    reported(5, 1, 4)

    with django_assert_num_queries(1):
        found = reports_since([patient.pk], NOON)

    assert [success for _, success in found[patient.pk]] == [True, False]  # newest first
    assert found[patient.pk][0][0].remedy == "mint"
    assert reports_since([patient.pk], NOON + timedelta(hours=2)) == {}
    assert reports_since([], NOON) == reports_since([patient.pk], None) == {}


def test_what_was_withdrawn_teaches_nothing(reported: Any, patient: Any, alice: Any) -> None:
    reported(5)
    withdraw(actor=alice, feedback=Feedback.objects.get())

    assert reports_since([patient.pk], NOON - timedelta(days=1)) == {}
    assert len(training_reports()) == 0


def test_only_the_newest_of_a_patient_are_learned_from_between_trainings(
    reported: Any, patient: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(history, "NEWEST", 2)
    reported(5, 5, 1)

    found = reports_since([patient.pk], NOON - timedelta(days=1))

    assert [success for _, success in found[patient.pk]] == [False, True]
