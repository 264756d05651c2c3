"""Whose data a row is: for every model that says something about one patient, its kind and the way to the patient."""

from __future__ import annotations

from operator import attrgetter
from typing import cast
from uuid import UUID

from django.db.models import Model

from audit.models import Kind

# By label, because what is audited imports the trail and not the other way round.
SUBJECTS = {
    "diagnoses.patient": (Kind.PATIENT, "pk"),
    "diagnoses.diagnosis": (Kind.DIAGNOSIS, "patient_id"),
    "diagnoses.recommendation": (Kind.RECOMMENDATION, "diagnosis.patient_id"),
    "diagnoses.contraindication": (Kind.CONTRAINDICATION, "patient_id"),
    "diagnoses.brokenglass": (Kind.EMERGENCY_ACCESS, "patient_id"),
    "feedback.feedback": (Kind.FEEDBACK, "patient_id"),
    "feedback.severeflag": (Kind.SEVERE_FLAG, "feedback.patient_id"),
    "predictions.predictionrecord": (Kind.PREDICTION, "patient_id"),
    "realtime.diagnosisevent": (Kind.EVENTS, "diagnosis.patient_id"),
    "realtime.receipt": (Kind.EVENTS, "diagnosis.patient_id"),
}


def kind_of(row: Model) -> Kind:
    return SUBJECTS[row._meta.label_lower][0]


def patient_of(row: Model) -> UUID:
    """A query where the way leads through a row that is not loaded."""
    return cast(UUID, attrgetter(SUBJECTS[row._meta.label_lower][1])(row))


def is_about_a_patient(row: Model) -> bool:
    return row._meta.label_lower in SUBJECTS
