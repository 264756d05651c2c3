"""What the model sees of a case: one token per group, one number for the distance of temperaments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import hypot, nan
from typing import Any

import numpy as np

from diagnoses.mizaj import Mizaj
from diagnoses.models import Diagnosis, Recommendation
from feedback.models import SUCCESS_RATING, Feedback
from predictions.engine import Columns

AGE_BANDS = (18, 30, 45, 60, 75)
# Healing is by opposites: against an imbalance of one degree the ideal remedy stands two degrees on the other side.
COUNTERWEIGHT = 2.0

TEXT_GROUPS = (
    "remedy",
    "condition",
    "remedy_condition",
    "remedy_mizaj",
    "mizaj",
    "age_band",
    "sex",
    "patient",
    "patient_kind",
)
NUMBER_GROUPS = ("distance",)


@dataclass(frozen=True)
class Case:
    """One remedy for one person; empty strings and None where nothing is known."""

    remedy: str
    kind: str
    condition: str
    warmth: int | None = None
    moisture: int | None = None
    patient: str = ""
    mizaj: str = ""
    imbalance: str = ""
    sex: str = ""
    age: int | None = None

    def features(self) -> dict[str, str | float]:
        return {
            "remedy": self.remedy,
            "condition": self.condition,
            "remedy_condition": _pair(self.remedy, self.condition),
            "remedy_mizaj": _pair(self.remedy, self.mizaj),
            "mizaj": self.mizaj,
            "age_band": age_band(self.age),
            "sex": self.sex,
            "patient": self.patient,
            "patient_kind": _pair(self.patient, self.kind),
            "distance": temperament_distance(self.warmth, self.moisture, self.imbalance),
        }


def columns_of(cases: Iterable[Case]) -> Columns:
    """One array of shape (n,) per group: text, and floats with NaN where a distance is not known."""
    rows = [case.features() for case in cases]
    # Object arrays share one string per token; fixed-width text would cost its longest token in every cell.
    texts: dict[str, Any] = {group: np.array([row[group] for row in rows], dtype=object) for group in TEXT_GROUPS}
    numbers = {group: np.array([row[group] for row in rows], dtype=np.float64) for group in NUMBER_GROUPS}
    return texts | numbers


def cases_of(diagnosis: Diagnosis, recommendations: Sequence[Recommendation], today: date) -> list[Case]:
    patient = diagnosis.patient
    return [
        Case(
            remedy=recommendation.remedy.slug,
            kind=recommendation.remedy.kind,
            condition=diagnosis.condition.slug,
            warmth=recommendation.remedy.warmth,
            moisture=recommendation.remedy.moisture,
            patient=patient.pk.hex,
            mizaj=patient.mizaj_type,
            imbalance=diagnosis.imbalance,
            sex=patient.sex,
            age=patient.age(today),
        )
        for recommendation in recommendations
    ]


def training_cases() -> Iterator[tuple[Case, bool]]:
    """Every standing report, oldest first, and whether it was a success."""
    reports = Feedback.objects.standing().order_by("created_at", "pk")
    rows = reports.values_list(
        "rating",
        "created_at",
        "mizaj",
        "patient_id",
        "patient__sex",
        "patient__birth_date",
        "diagnosis__condition__slug",
        "diagnosis__imbalance",
        "recommendation__remedy__slug",
        "recommendation__remedy__kind",
        "recommendation__remedy__warmth",
        "recommendation__remedy__moisture",
    )
    for rating, at, mizaj, patient, sex, born, condition, imbalance, remedy, kind, warmth, moisture in rows.iterator():
        age = (at.date() - born).days // 365 if born else None
        case = Case(remedy, kind, condition, warmth, moisture, patient.hex, mizaj, imbalance, sex, age)
        yield case, rating >= SUCCESS_RATING


def _pair(left: str, right: str) -> str:
    return f"{left}|{right}" if left and right else ""


def age_band(age: int | None) -> str:
    """Empty where the age is not known."""
    if age is None:
        return ""
    below = next((band for band in AGE_BANDS if age < band), None)
    return f"<{below}" if below else f">={AGE_BANDS[-1]}"


def temperament_distance(warmth: int | None, moisture: int | None, imbalance: str) -> float:
    """0 when the remedy is exactly opposed to the imbalance; in units of four degrees."""
    if warmth is None or moisture is None or imbalance in ("", Mizaj.BALANCED):
        return nan
    warm, wet = Mizaj(imbalance).axes
    return hypot(warmth + COUNTERWEIGHT * warm, moisture + COUNTERWEIGHT * wet) / 4
