from __future__ import annotations

from diagnoses.models.catalogue import CatalogueTerm, Condition, Remedy, SideEffect
from diagnoses.models.diagnoses import ONE_TO_FIVE, Contraindication, Diagnosis, Recommendation
from diagnoses.models.patients import BrokenGlass, Consent, Patient, PatientKey

__all__ = [
    "ONE_TO_FIVE",
    "BrokenGlass",
    "CatalogueTerm",
    "Condition",
    "Consent",
    "Contraindication",
    "Diagnosis",
    "Patient",
    "PatientKey",
    "Recommendation",
    "Remedy",
    "SideEffect",
]
