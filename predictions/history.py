"""Reads the reports that a model learns from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from avicenna.prepared import Among, Parameter, Parameters, Prepared
from diagnoses.models import Patient
from feedback.models import SUCCESS_RATING, Feedback
from predictions.design_matrix import Coded, FloatArray
from predictions.features import Case, Cases, Reports, age_band, temperament_distance

CHUNK = 20_000
SECONDS_A_DAY = 86_400
DAYS_A_YEAR = 365.2425
EPOCH = date(1970, 1, 1).toordinal()
# What a patient reported before that has long been learned from, or will be at the next training.
NEWEST = 40

PERSON = ("patient_id", "patient__sex", "patient__birth_date")
REMEDY = tuple(f"recommendation__remedy__{name}" for name in ("slug", "kind", "warmth", "moisture"))
PLACE = ("diagnosis__condition__slug", "diagnosis__imbalance", "mizaj")
REPORT = ("rating", "compliance", "created_at", "symptom_improvement")

Codes = NDArray[np.int32]
Say = Callable[[str], None]


class Places(dict[Any, int]):
    """Numbers what it is asked for, in the order of appearance."""

    def __missing__(self, key: Hashable) -> int:
        self[key] = place = len(self)
        return place

    def of(self, keys: Iterable[Hashable]) -> Codes:
        return np.fromiter(map(self.__getitem__, keys), dtype=np.int32)


def training_reports(say: Say = lambda _: None) -> Reports:
    """Every standing report of those who consent to training, as of one moment.

    One query, which sees nothing of what is committed meanwhile and locks nothing; a million reports take little
    memory: strings and dates are kept once.
    """
    reading = _Reading()
    consented = Feedback.objects.standing().filter(patient__trains_models=True).order_by("created_at", "pk")
    rows = consented.values_list(*PERSON, *REMEDY, *PLACE, *REPORT)
    found = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        reading.add(chunk)
        say(f"reading the reports: {reading.size:,}")
    return reading.reports()


def reports_since(patients: Collection[UUID], moment: datetime | None) -> dict[UUID, list[tuple[Case, bool]]]:
    """By patient, what they reported after `moment`, newest first and at most NEWEST; one query for all of them.

    Nothing where `moment`, the end of what a model learned from, is not known.
    """
    found: dict[UUID, list[tuple[Case, bool]]] = defaultdict(list)
    if moment is None or not patients:
        return found
    for report in _REPORTS_SINCE.all(patients=list(patients), moment=moment):
        if len(found[report.patient_id]) < NEWEST:
            found[report.patient_id].append((_case_of(report), report.is_success))
    return dict(found)


def _reported_since() -> QuerySet[Feedback]:
    since = Parameter("moment", Feedback._meta.get_field("created_at"))
    of = Among("patient", Parameters("patients", Patient._meta.get_field("id")))
    wanted = ["patient__sex", "patient__birth_date", "diagnosis__imbalance", "diagnosis__condition__slug"]
    wanted += [f"recommendation__remedy__{name}" for name in ("slug", "kind", "warmth", "moisture")]
    found = Feedback.objects.standing().filter(of, created_at__gt=since).order_by("-created_at", "-pk")
    joined = found.select_related("patient", "diagnosis__condition", "recommendation__remedy")
    return joined.only("mizaj", "rating", "compliance", "created_at", *wanted)


_REPORTS_SINCE = Prepared(_reported_since)


def _case_of(report: Feedback) -> Case:
    remedy, patient = report.recommendation.remedy, report.patient
    born = patient.birth_date
    return Case(
        remedy=remedy.slug,
        kind=remedy.kind,
        condition=report.diagnosis.condition.slug,
        warmth=remedy.warmth,
        moisture=remedy.moisture,
        patient=patient.pk.hex,
        mizaj=report.mizaj,
        imbalance=report.diagnosis.imbalance,
        sex=patient.sex,
        age=int((report.created_at.date() - born).days / DAYS_A_YEAR) if born else None,
        compliance=report.compliance,
    )


class _Reading:
    """Rows turned into columns, chunk by chunk."""

    def __init__(self) -> None:
        self.size = 0
        self._places = {name: Places() for name in ("person", "remedy", "condition", "imbalance", "mizaj")}
        self._codes: dict[str, list[Codes]] = {name: [] for name in self._places}
        self._numbers: dict[str, list[FloatArray]] = {
            name: [] for name in ("outcomes", "compliance", "seconds", "grades")
        }

    def add(self, rows: Sequence[Sequence[Any]]) -> None:
        columns = list(zip(*rows, strict=True))
        keys: dict[str, Iterable[Hashable]] = {
            "person": zip(*columns[:3], strict=True),
            "remedy": zip(*columns[3:7], strict=True),
            "condition": columns[7],
            "imbalance": columns[8],
            "mizaj": columns[9],
        }
        for name, places in self._places.items():
            self._codes[name].append(places.of(keys[name]))
        self._numbers["outcomes"].append((np.array(columns[10]) >= SUCCESS_RATING).astype(np.float64))
        self._numbers["compliance"].append(np.array(columns[11], dtype=np.float64))
        self._numbers["seconds"].append(np.array([at.timestamp() for at in columns[12]]))
        self._numbers["grades"].append(np.array(columns[13], dtype=np.float64))
        self.size += len(rows)

    def reports(self) -> Reports:
        codes = {name: np.concatenate([np.empty(0, np.int32), *parts]) for name, parts in self._codes.items()}
        outcomes, compliance, seconds, grades = (
            np.concatenate([np.empty(0), *parts]) for parts in self._numbers.values()
        )
        people, remedies = list(self._places["person"]), list(self._places["remedy"])
        patient, sex, born = zip(*people, strict=True) if people else ((), (), ())
        remedy, kind, warmth, moisture = zip(*remedies, strict=True) if remedies else ((), (), (), ())
        ages = (seconds / SECONDS_A_DAY - _days(born)[codes["person"]]) / DAYS_A_YEAR
        tokens = {
            "remedy": Coded.of(remedy)[codes["remedy"]],
            "kind": Coded.of(kind)[codes["remedy"]],
            "condition": self._texts("condition")[codes["condition"]],
            "patient": Coded.of(key.hex for key in patient)[codes["person"]],
            "mizaj": self._texts("mizaj")[codes["mizaj"]],
            "sex": Coded.of(sex)[codes["person"]],
            "age_band": _bands(ages),
        }
        numbers = {
            "warmth": np.array(warmth, dtype=np.float64)[codes["remedy"]],
            "moisture": np.array(moisture, dtype=np.float64)[codes["remedy"]],
            "distance": self._distances(codes["remedy"], codes["imbalance"]),
            "compliance": compliance,
        }
        return Reports(Cases(tokens, numbers), outcomes, seconds, grades.astype(np.int64))

    def _texts(self, name: str) -> Coded:
        return Coded.of(str(text) for text in self._places[name])

    def _distances(self, remedies: Codes, imbalances: Codes) -> FloatArray:
        """Of each remedy from each imbalance: so few that they are worked out once."""
        known, opposed = list(self._places["remedy"]), list(self._places["imbalance"])
        table = [[temperament_distance(warm, wet, against) for against in opposed] for _, _, warm, wet in known]
        return np.array(table, dtype=np.float64).reshape(len(known), len(opposed))[remedies, imbalances]


def _days(born: Sequence[date | None]) -> FloatArray:
    return np.array([day.toordinal() - EPOCH if day else None for day in born], dtype=np.float64)


def _bands(ages: FloatArray) -> Coded:
    """Each whole age is looked up once."""
    found, places = np.unique(np.floor(ages), return_inverse=True, equal_nan=True)
    return Coded.of(age_band(None if np.isnan(age) else age) for age in found.tolist())[places]
