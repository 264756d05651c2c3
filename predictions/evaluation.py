"""Measures the model in use, beside the baselines, on the reports of a file. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from feedback.importing import druglib
from feedback.importing.records import Reject
from feedback.importing.sources import Druglib, Entry
from feedback.importing.vocabulary import Catalogue
from feedback.models import SUCCESS_RATING, Feedback
from predictions.engine import Model
from predictions.features import Case, Reports, columns_of
from predictions.history import training_reports
from predictions.metrics import CalibrationBin, calibration_bins
from predictions.training import BASELINES, Quality, evaluate, evaluate_baseline

LOOKED_UP_AT_ONCE = 500

Success = Callable[[druglib.Report, Entry], bool]
# The same question as everywhere here, and the one the data set's authors asked.
SUCCESS: dict[str, Success] = {
    "system": lambda _, entry: entry.rating >= SUCCESS_RATING,
    "druglib": lambda review, _: review.success,
}


class NothingToLearnFrom(Exception):
    """The database has no standing report."""


@dataclass
class Sample:
    """The reports of a file as the model sees them. Remedies and conditions by slug: does the database have it?"""

    rows: list[tuple[Case, bool]] = field(default_factory=list)
    unusable: int = 0
    remedies: dict[str, bool] = field(default_factory=dict)
    conditions: dict[str, bool] = field(default_factory=dict)
    patients: dict[UUID, UUID] = field(default_factory=dict)  # by client id

    def add(self, entry: Entry, success: bool) -> None:
        self.rows.append((case_of(entry), success))
        self.remedies[entry.remedy.slug] = entry.remedy.pk is not None
        self.conditions[entry.condition.slug] = entry.condition.pk is not None
        self.patients[entry.client_id] = entry.patient_id


def read_sample(path: Path, success: Success) -> Sample:
    """Raises UnreadableFile, and EmptyCatalogue before `load_catalogue` was run."""
    sample = Sample()
    for item in Druglib(path, Catalogue()).reviews():
        if isinstance(item, Reject):
            sample.unusable += 1
        else:
            review, entry = item
            sample.add(entry, success(review, entry))
    return sample


def measure(sample: Sample, active: Model | None) -> dict[str, Quality]:
    """By the name of the predictor. The baselines learn from every standing report, the model's holdout included."""
    standing, reports = training_reports(), Reports.of(sample.rows)
    if not len(standing):
        raise NothingToLearnFrom
    qualities = {"active": evaluate(active, reports)} if active else {}
    return qualities | {name: evaluate_baseline(baseline, standing, reports) for name, baseline in BASELINES.items()}


def bins(sample: Sample, active: Model) -> list[CalibrationBin]:
    cases, outcomes = zip(*sample.rows, strict=True)
    return calibration_bins(outcomes, active.score(columns_of(cases)).mean)


def is_mostly_imported(sample: Sample) -> bool:
    """More than half of its reports stand in the database: the model may have learned from them."""
    known = list(sample.patients.items())
    found = 0
    for start in range(0, len(known), LOOKED_UP_AT_ONCE):
        part = dict(known[start : start + LOOKED_UP_AT_ONCE])
        # the index begins with the patient
        found += Feedback.objects.standing().filter(patient__in=part.values(), client_id__in=part.keys()).count()
    return 2 * found > len(known)


def case_of(entry: Entry) -> Case:
    """What training would see of the report, had it been imported."""
    remedy = entry.remedy
    return Case(
        remedy=remedy.slug,
        kind=remedy.kind,
        condition=entry.condition.slug,
        warmth=remedy.warmth,
        moisture=remedy.moisture,
        patient=entry.patient_id.hex,
    )
