"""What the model sees of a case: tokens, slopes per token, and numbers, each in a group of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import hypot, nan
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from diagnoses.mizaj import Mizaj
from diagnoses.models import Diagnosis, Recommendation, Remedy
from predictions.design_matrix import Coded, Columns, FloatArray
from predictions.engine import Outcomes

AGE_BANDS = (18, 30, 45, 60, 75)
# Healing is by opposites: against an imbalance of one degree the ideal remedy stands two degrees on the other side.
COUNTERWEIGHT = 2.0
DEGREES = 4

# Group → the attribute, or the two, whose value is the token.
TOKENS = {
    "remedy": ("remedy",),
    "condition": ("condition",),
    "patient": ("patient",),
    "mizaj": ("mizaj",),
    "age_band": ("age_band",),
    "sex": ("sex",),
    "kind": ("kind",),
    "remedy_condition": ("remedy", "condition"),
    "remedy_mizaj": ("remedy", "mizaj"),
    "patient_kind": ("patient", "kind"),
    "patient_remedy": ("patient", "remedy"),
}
# Group → an attribute, each value of which has a slope of its own on a number: a person's taste for what warms.
SLOPES = {
    "patient_warmth": ("patient", "warmth"),
    "patient_moisture": ("patient", "moisture"),
    "mizaj_warmth": ("mizaj", "warmth"),
    "mizaj_moisture": ("mizaj", "moisture"),
}
NUMBERS = ("distance", "compliance")


@dataclass(frozen=True)
class Case:
    """One remedy for one person; empty strings and None where nothing is known.

    `compliance` explains a report; of what is predicted it is None, which stands for the mean of all reports.
    """

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
    compliance: int | None = None

    @property
    def age_band(self) -> str:
        return age_band(self.age)

    @property
    def distance(self) -> float:
        return temperament_distance(self.warmth, self.moisture, self.imbalance)


@dataclass(frozen=True, eq=False)
class Cases:
    """n cases, attribute by attribute; numbers have shape (n,) and NaN where nothing is known."""

    tokens: Mapping[str, Coded]
    numbers: Mapping[str, FloatArray]

    TOKENS = ("remedy", "kind", "condition", "patient", "mizaj", "sex", "age_band")
    NUMBERS = ("warmth", "moisture", "distance", "compliance")

    @classmethod
    def of(cls, cases: Iterable[Case]) -> Self:
        rows = list(cases)
        return cls(
            {name: Coded.of(getattr(row, name) for row in rows) for name in cls.TOKENS},
            {name: np.array([getattr(row, name) for row in rows], dtype=np.float64) for name in cls.NUMBERS},
        )

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(
            {name: column[rows] for name, column in self.tokens.items()},
            {name: column[rows] for name, column in self.numbers.items()},
        )

    def columns(self) -> Columns:
        """One column of length n per group; what says more by itself comes first."""
        found: dict[str, Any] = {name: self._tokens(*attributes) for name, attributes in TOKENS.items()}
        found |= {name: self.numbers[name] for name in NUMBERS}
        found["drug_class"] = self.tokens["remedy"].renamed(drug_class)
        for name, (attribute, number) in SLOPES.items():
            found[name] = self.tokens[attribute].times(self.numbers[number] / DEGREES)
        return found

    def unexplained(self) -> Self:
        """As they are known beforehand: nobody has complied yet."""
        unknown = np.full_like(self.numbers["compliance"], nan)
        return type(self)(self.tokens, {**self.numbers, "compliance": unknown})

    def _tokens(self, attribute: str, other: str | None = None) -> Coded:
        column = self.tokens[attribute]
        return column.paired_with(self.tokens[other]) if other else column


@dataclass(frozen=True, eq=False)
class Reports:
    """n reports, oldest first: what on, whether each was a success (1) or not (0), and when, in seconds since 1970.

    `grades` hold a second grade, the improvement 1..5; 0 where it is not known.
    """

    cases: Cases
    outcomes: FloatArray
    seconds: FloatArray
    grades: NDArray[np.int64]

    @classmethod
    def of(cls, reports: Sequence[tuple[Case, bool]]) -> Self:
        """All of one moment."""
        outcomes = np.array([success for _, success in reports], dtype=np.float64)
        return cls(Cases.of(case for case, _ in reports), outcomes, np.zeros(len(reports)), np.zeros(len(reports), int))

    def __len__(self) -> int:
        return len(self.outcomes)

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(self.cases[rows], self.outcomes[rows], self.seconds[rows], self.grades[rows])


def columns_of(cases: Iterable[Case]) -> Columns:
    """One column of length n per group."""
    return Cases.of(cases).columns()


def outcomes_of(reports: Sequence[tuple[Case, bool]]) -> Outcomes | None:
    """A few reports as the engine learns from them; None for none."""
    return (columns_of(case for case, _ in reports), [success for _, success in reports]) if reports else None


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


def age_band(age: float | None) -> str:
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
    return hypot(warmth + COUNTERWEIGHT * warm, moisture + COUNTERWEIGHT * wet) / DEGREES


def drug_class(slug: str) -> str:
    """The end of a drug's name, which tells its class: -pril, -statin, -olol; empty for what is no drug.

    Source: WHO, "The use of stems in the selection of International Nonproprietary Names (INN) for pharmaceutical
    substances". Three letters and not the stems themselves, as brands are named to sound like their substance.
    """
    prefix, _, name = slug.partition("-")
    return name.split("-")[0][-3:] if prefix == Remedy.Kind.DRUG else ""
