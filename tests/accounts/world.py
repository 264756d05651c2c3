"""One of each role, and a record of its own, of its care team, of a stranger and of one who was erased: what the access
matrix is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.access import Act, Reach, Resource, reach
from accounts.models import Role, User
from diagnoses.actions import contraindicate, create_patient, erase_patient, recommend, record_diagnosis
from diagnoses.models import Contraindication, Diagnosis, Patient, Recommendation
from feedback.actions import submit, withdraw
from feedback.models import Feedback

PASSWORD = "saffron-and-rose"
NEEDED = {"own": Reach.OWN, "care": Reach.CARE, "foreign": Reach.ALL, "erased": None}
# The reception has a cell of every kind; the others' are in test_permissions.py, by route.
ROLES = [pytest.param(role, marks=() if role == Role.RECEPTION else pytest.mark.thorough) for role in Role]
# What is planted in each record, and the field in whose place it must not be read by whom that is closed to.
PLANTED = {
    "planted-name": (Resource.PATIENT, "full_name"),
    "planted-history": (Resource.PATIENT, "medical_history"),
    "planted-medication": (Resource.PATIENT, "current_medications"),
    "planted-note": (Resource.DIAGNOSIS, "notes"),
    "planted-symptom": (Resource.DIAGNOSIS, "symptoms"),
    "planted-dosage": (Resource.RECOMMENDATION, "dosage"),
    "planted-reason": (Resource.CONTRAINDICATION, "reason"),
    "planted-comment": (Resource.FEEDBACK, "comment"),
    "planted-taken-back": (Resource.FEEDBACK, "withdrawn_comment"),
}


@dataclass
class Record:
    whose: str
    patient: Patient
    diagnosis: Diagnosis
    recommendation: Recommendation
    contraindication: Contraindication
    feedback: Feedback
    withdrawn: Feedback

    def fill(self, told: Any) -> Any:
        if isinstance(told, str):
            return re.sub(r"{(\w+)}", lambda found: str(self.pk(found[1])), told)
        if isinstance(told, list):
            return [self.fill(one) for one in told]
        return {key: self.fill(value) for key, value in told.items()} if isinstance(told, dict) else told

    def pk(self, name: str) -> Any:
        if name == "event":
            return self.diagnosis.events.order_by("seq").values_list("pk", flat=True).first() or 0
        return self.feedback.flag.pk if name == "flag" else getattr(self, name).pk


@dataclass
class World:
    role: Role
    actor: User
    records: list[Record]

    def opens(self, act: Act, resource: Resource, record: Record, field: str | None = None) -> bool:
        """What the matrix says."""
        found, needed = reach(self.role, act, resource, field), NEEDED[record.whose]
        return found is not None and needed is not None and found >= needed

    def shown_too_much(self, record: Record, path: str, text: str) -> Iterator[str]:
        for planted, (resource, field) in PLANTED.items():
            if planted in text and not self.opens(Act.READ, resource, record, field):
                yield f"{record.whose} {path} shows {field}"


def records_around(actor: User, remedy: Any, condition: Any, nausea: Any) -> list[Record]:
    return [_record(whose, actor, remedy, condition, nausea) for whose in NEEDED]


def _record(whose: str, actor: User, remedy: Any, condition: Any, nausea: Any) -> Record:
    patient = create_patient(
        actor=None, user=actor if whose == "own" else None, full_name="planted-name", mizaj_type="warm",
        care_team=[actor] if whose in ("care", "erased") else [], medical_history="planted-history",
        current_medications="planted-medication",
    )  # fmt: skip
    diagnosis = record_diagnosis(
        actor=None, patient=patient, condition=condition, severity=3, notes="planted-note", symptoms=["planted-symptom"]
    )
    recommendation = recommend(actor=None, diagnosis=diagnosis, remedy=remedy, dosage="planted-dosage")
    cause = Contraindication.Cause.OTHER
    said = {"recommendation_id": recommendation.pk, "rating": 4, "symptom_improvement": 4}
    feedback, _ = submit(actor=None, **said, comment="planted-comment", side_effects={nausea: 4})
    withdrawn, _ = submit(actor=None, **said, comment="planted-taken-back")
    withdraw(actor=None, feedback=withdrawn)
    stated = contraindicate(actor=None, patient=patient, remedy=remedy, cause=cause, reason="planted-reason")
    if whose == "erased":
        erase_patient(actor=None, patient_id=patient.pk)
    return Record(whose, patient, diagnosis, recommendation, stated, feedback, withdrawn)
