from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.models import EffectivenessRollup
from analytics.rebuild import check
from analytics.subjects import Kind
from diagnoses.actions import create_patient, recommend, record_diagnosis
from feedback.actions import change, submit, withdraw
from feedback.models import Feedback

Step = tuple[str, int, int, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["submit", "submit", "submit", "change", "withdraw"]),
        st.integers(0, 3),  # which recommendation, or which earlier report
        st.integers(1, 5),  # rating
        st.integers(0, 29),  # days ago
        st.integers(0, 5),  # severity of a side effect, 0 for none
    ),
    max_size=14,
)


@pytest.fixture
def recommendations(bob: Any, headache: Any, mint: Any, violet: Any, db: None) -> list[Any]:
    """Two patients of different mizaj, two remedies each."""
    found = []
    for mizaj in ("warm", "cold_wet"):
        patient = create_patient(actor=None, full_name=mizaj, mizaj_type=mizaj, care_team=[bob])
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        found += [recommend(actor=bob, diagnosis=diagnosis, remedy=remedy) for remedy in (mint, violet)]
    return found


def play(history: list[Step], recommendations: list[Any], effect: Any) -> None:
    reports: list[Feedback] = []
    for act, which, rating, days, severity in history:
        effects = {effect: severity} if severity else {}
        if act == "submit":
            at = timezone.now() - timedelta(days=days)
            said = {"rating": rating, "symptom_improvement": 3, "compliance": rating, "side_effects": effects}
            reports.append(submit(actor=None, recommendation_id=recommendations[which].pk, at=at, **said)[0])
        elif reports:
            chosen = reports[which % len(reports)]
            if act == "change":
                change(actor=None, feedback=chosen, changes={"rating": rating, "side_effects": effects})
            else:
                withdraw(actor=None, feedback=reports.pop(which % len(reports)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_after_any_history_the_rollups_are_what_the_feedback_says(
    history: list[Step], recommendations: list[Any], nausea: Any
) -> None:
    with transaction.atomic():
        play(history, recommendations, nausea)

        assert check() == []
        assert _by_remedy() == _counted_by_hand()
        transaction.set_rollback(True)


def _by_remedy() -> Counter[tuple[str, Any, int, int]]:
    rows = EffectivenessRollup.objects.filter(kind=Kind.REMEDY, n__gt=0)
    return Counter((row.key, row.day, row.n, row.rating_sum) for row in rows)


def _counted_by_hand() -> Counter[tuple[str, Any, int, int]]:
    """Independent of the code under test: a plain loop over the table."""
    found: dict[tuple[str, Any], list[int]] = {}
    for report in Feedback.objects.filter(withdrawn_at=None):
        key = (str(report.recommendation.remedy_id), timezone.localdate(report.created_at))
        found.setdefault(key, []).append(report.rating)
    return Counter((remedy, day, len(ratings), sum(ratings)) for (remedy, day), ratings in found.items())


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

    assert check() == []
    for recommendation in recommendations:
        diagnosis = recommendation.diagnosis
        diagnosis.refresh_from_db()
        seqs = sorted(diagnosis.events.values_list("seq", flat=True))
        assert seqs == list(range(1, diagnosis.head + 1))


def test_check_names_a_wrong_figure_and_rebuild_mends_it(recommendations: list[Any], capsys: Any) -> None:
    submit(actor=None, recommendation_id=recommendations[0].pk, rating=5, symptom_improvement=5)
    EffectivenessRollup.objects.filter(kind=Kind.REMEDY).update(rating_sum=1)

    with pytest.raises(CommandError, match="1 differences"):
        call_command("rebuild_analytics", "--check")
    call_command("rebuild_analytics")
    call_command("rebuild_analytics", "--check")

    assert "rating_sum=1" in capsys.readouterr().out
