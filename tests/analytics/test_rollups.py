from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings

from analytics.models import SubjectPatient
from analytics.rebuild import check
from diagnoses.actions import recommend, record_diagnosis
from feedback.actions import submit, withdraw
from tests.analytics import oracle
from tests.analytics.conftest import Step, play, steps


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_after_any_history_the_rollups_are_what_the_feedback_says(
    history: list[Step], recommendations: list[Any], nausea: Any
) -> None:
    with transaction.atomic():
        play(history, recommendations, nausea)

        assert oracle.stored() == oracle.computed()
        assert check().first == []
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_lose_nothing(recommendations: list[Any]) -> None:
    def report(number: int) -> None:
        try:
            submit(
                actor=None,
                recommendation_id=recommendations[number % 4].pk,
                rating=1 + number % 5,
                symptom_improvement=3,
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(report, range(48)))

    assert oracle.stored() == oracle.computed()
    for recommendation in recommendations:
        diagnosis = recommendation.diagnosis
        diagnosis.refresh_from_db()
        seqs = sorted(diagnosis.events.values_list("seq", flat=True))
        assert seqs == list(range(1, diagnosis.head + 1))


@pytest.mark.django_db(transaction=True)
def test_a_report_beside_a_withdrawal_keeps_its_day(recommendations: list[Any], bob: Any, monkeypatch: Any) -> None:
    first = recommendations[0]
    second = record_diagnosis(
        actor=bob, patient=first.diagnosis.patient, condition=first.diagnosis.condition, severity=2
    )
    other = recommend(actor=bob, diagnosis=second, remedy=first.remedy)
    said = {"actor": None, "rating": 4, "symptom_improvement": 4}
    _, withdrawn = (
        submit(**said, recommendation_id=first.pk, at=timezone.now() - timedelta(days=days))[0] for days in (25, 20)
    )

    def report() -> None:
        try:
            submit(**said, recommendation_id=other.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        beside = []
        save = SubjectPatient.save

        def save_late(row: SubjectPatient, *args: Any, **kwargs: Any) -> None:
            if not beside:
                beside.append(pool.submit(report))
                wait(beside, timeout=0.5)
            save(row, *args, **kwargs)

        monkeypatch.setattr(SubjectPatient, "save", save_late)
        withdraw(actor=None, feedback=withdrawn)
        beside[0].result()

    assert oracle.stored() == oracle.computed()
