"""The attack: subtract public answers from each other until somebody is left alone.

Parts of one breakdown are known not to overlap, and any of them may be taken away together. How parts of different
breakdowns overlap is nothing that an answer tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Recommendation, Remedy
from feedback.actions import Report, submit_history

MIZAJES, REMEDIES, CONDITIONS = ["warm", "cold", "wet", ""], ["mint", "violet"], ["headache", "insomnia", "gout"]
# How many patients of a kind report on a remedy for a condition.
CELLS = st.dictionaries(
    st.tuples(st.sampled_from(MIZAJES), st.sampled_from(REMEDIES), st.sampled_from(CONDITIONS)),
    st.integers(1, 7),
    min_size=1,
    max_size=8,
)
Cell = tuple[str, str, str]


def fill(cells: dict[Cell, int]) -> None:
    reports = []
    for (mizaj, remedy, condition), patients in cells.items():
        for _ in range(patients):
            patient = create_patient(actor=None, full_name="P", mizaj_type=mizaj)
            diagnosis = record_diagnosis(
                actor=None, patient=patient, condition=Condition.objects.get(slug=condition), severity=2
            )
            recommendation: Recommendation = recommend(
                actor=None, diagnosis=diagnosis, remedy=Remedy.objects.get(slug=remedy)
            )
            reports.append(Report(recommendation.pk, rating=4, symptom_improvement=4))
    submit_history(reports=reports)


def answers(api: Any) -> Iterator[tuple[str, str, str, int]]:
    """Every public figure: the mizaj, remedy and condition it is about (* for all) and its number of reports."""
    for remedy in REMEDIES:
        found = api().get(f"/api/analytics/remedies/{remedy}").json()
        if found["effectiveness"]:
            yield "*", remedy, "*", found["effectiveness"]["sample_size"]
        for part in found["by_mizaj"]:
            yield part["mizaj"], remedy, "*", part["effectiveness"]["sample_size"]
        for part in found["by_condition"]:
            yield "*", remedy, part["condition"], part["effectiveness"]["sample_size"]
    for condition in CONDITIONS:
        found = api().get(f"/api/analytics/conditions/{condition}").json()
        for part in found["remedies"]:
            yield "*", part["remedy"], condition, part["effectiveness"]["sample_size"]
        if found["effectiveness"]:
            told = sum(part["effectiveness"]["sample_size"] for part in found["remedies"])
            assert found["effectiveness"]["sample_size"] == told


@pytest.fixture
def catalogue(db: None) -> None:
    for slug in REMEDIES:
        Remedy.objects.create(slug=slug, name_en=slug, name_fa=slug, kind="herbal")
    for slug in CONDITIONS:
        Condition.objects.create(slug=slug, name_en=slug, name_fa=slug)


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(cells=CELLS)
def test_no_answer_and_no_difference_of_answers_is_about_fewer_than_five(
    catalogue: None, api: Any, cells: dict[Cell, int]
) -> None:
    with transaction.atomic():
        fill(cells)
        told = set(answers(api))
        transaction.set_rollback(True)
    for *about, reports in told:
        assert reports == sum(patients for cell, patients in cells.items() if is_in(cell, about))
        assert reports >= 5
    for whole in (answer for answer in told if answer[0] == answer[2] == "*"):
        parts = [answer for answer in told if answer[1] == whole[1] and answer != whole]
        for breakdown in ([part for part in parts if part[0] == "*"], [part for part in parts if part[2] == "*"]):
            for some in chain.from_iterable(combinations(breakdown, size) for size in range(1, len(breakdown) + 1)):
                left = whole[3] - sum(part[3] for part in some)
                assert left == 0 or left >= 5, (whole, some)


def is_in(cell: Cell, about: Sequence[str]) -> bool:
    return all(asked in ("*", value) for asked, value in zip(about, cell, strict=True))
