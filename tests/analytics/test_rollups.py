from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings

from analytics.rebuild import check
from feedback.actions import submit
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
