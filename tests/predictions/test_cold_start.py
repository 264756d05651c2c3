"""Nothing is known of somebody or something: still a sensible score, and an interval that says so."""

from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Remedy
from predictions.engine import FORMAT
from predictions.models import PredictionModel

LEVELS = ("conservative", "balanced", "aggressive")


def known(name: str, token: str, mean: float) -> dict[str, Any]:
    """A group that knows one token well."""
    return {"name": name, "scale": 1.0, "tokens": [token], "means": [mean], "variances": [0.01], "center": 0.0}


@pytest.fixture
def model(db: None, patient: Any) -> PredictionModel:
    """Mint against headache for Alice is known well; of everything else nothing."""
    groups = [known("remedy", "mint", 0.3), known("condition", "headache", 0.1), known("patient", patient.pk.hex, 0.1)]
    stored = {"format": FORMAT, "intercept": 0.1, "intercept_variance": 0.01, "groups": groups}
    return PredictionModel.objects.create(
        version=1, training_size=500, holdout_size=50, coefficients=stored, is_active=True
    )


@pytest.fixture
def rank(api: Any, bob: Any) -> Any:
    def ask(patient: Any, condition: Any, *remedies: Any, level: str = "balanced") -> list[dict[str, Any]]:
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=condition, severity=2)
        for remedy in remedies:
            recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
        query = {"diagnosis": str(diagnosis.pk), "optimization_level": level}
        found: list[dict[str, Any]] = api(bob).get("/api/predictions/", query).json()["predictions"]
        return found

    return ask


def width(row: dict[str, Any]) -> float:
    low, high = row["interval"]
    return float(high - low)


@pytest.mark.parametrize("new", ["patient", "remedy", "condition", "all"])
def test_what_is_new_gets_a_sensible_score_and_a_wide_interval(
    model: Any, rank: Any, patient: Any, headache: Any, mint: Any, bob: Any, new: str
) -> None:
    (usual,) = rank(patient, headache, mint)
    if new in ("patient", "all"):
        patient = create_patient(actor=None, full_name="New", care_team=[bob])
    if new in ("remedy", "all"):
        mint = Remedy.objects.create(slug="new", name_en="New", name_fa="نو", kind="herbal")
    if new in ("condition", "all"):
        headache = Condition.objects.create(slug="new", name_en="New", name_fa="نو")

    (row,) = rank(patient, headache, mint)

    assert 0.4 < row["score"] < 0.7
    assert width(row) > 2 * width(usual)
    assert row["confidence"] == pytest.approx(1 - width(row))


def test_levels_rank_in_another_order_where_little_is_known(
    model: Any, rank: Any, patient: Any, headache: Any, mint: Any, violet: Any
) -> None:
    orders = {level: [row["remedy"] for row in rank(patient, headache, mint, violet, level=level)] for level in LEVELS}

    assert orders == {
        "conservative": ["mint", "sweet-violet"],
        "balanced": ["mint", "sweet-violet"],
        "aggressive": ["sweet-violet", "mint"],
    }


@pytest.mark.parametrize("level", LEVELS)
def test_without_model_and_reports_every_level_answers(
    rank: Any, patient: Any, headache: Any, mint: Any, level: str
) -> None:
    (row,) = rank(patient, headache, mint, level=level)

    assert 0 < row["score"] < 1
    assert width(row) > 0.8
