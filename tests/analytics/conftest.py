"""Histories to try the figures with: two patients, two remedies each, and whatever they report, change and withdraw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import strategies as st

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
