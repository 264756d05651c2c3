"""What every act on a patient's record begins and ends with: its lock, who may, and what is written and told of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db.models import Model

from accounts.access import Act, Resource
from accounts.models import User
from audit import trail
from avicenna.errors import Forbidden
from avicenna.permissions import require
from diagnoses.errors import ChangedMeanwhile, NoSuchPatient
from diagnoses.models import Consent, Diagnosis, Patient

EMPTY: Mapping[str, Any] = MappingProxyType({})

# Where it stands on the patient what a consent comes to.
WISHES = {
    Consent.Purpose.TREATMENT: "is_treated",
    Consent.Purpose.STATISTICS: "is_counted",
    Consent.Purpose.TRAINING: "trains_models",
}


def lock_patient(pk: UUID) -> Patient:
    """What is given to a patient and what must not be given are written one after the other.

    Comes before the lock of a diagnosis. It lets those pass who only refer to the patient: a report on a diagnosis
    does so while it holds that diagnosis. Raises `NoSuchPatient` for one who was erased.
    """
    patient = Patient.objects.select_for_update(no_key=True).only("erased_at", *WISHES.values()).filter(pk=pk).first()
    if patient is None or patient.erased_at:
        raise NoSuchPatient
    return patient


def require_for(actor: User | None, act: Act, resource: Resource, patient: Patient) -> None:
    """Both the role and whose record it is. Raises `Forbidden`.

    Asked once the patient is locked: who takes a right away waits for that lock, or is waited for.
    """
    require(actor, act, resource)
    if actor and not Patient.objects.visible_to(actor).filter(pk=patient.pk).exists():
        raise Forbidden


def require_unchanged(row: Diagnosis | Patient, changes: Mapping[str, Any], seen: Mapping[str, Any]) -> None:
    """Raises `ChangedMeanwhile` when a change would take away what its actor has not seen.

    Two who change different fields do not disturb each other, nor does who sends the same change again.
    """
    for name in changes.keys() & seen.keys():
        if getattr(row, name) not in (seen[name], changes[name]):
            raise ChangedMeanwhile(row)


def write_changes(
    actor: User | None, patient: Patient, row: Model, changes: Mapping[str, Any], reason: str = ""
) -> list[str]:
    """Writes what differs, tells the audit trail and returns the names. The reason itself is told by the event."""
    before = {name: getattr(row, name) for name in changes}
    changed = [name for name, value in changes.items() if before[name] != value]
    for name in changed:
        setattr(row, name, changes[name])
    if changed:
        row.save(update_fields=[*changed, "updated_at"])
        told = {name: (before[name], changes[name]) for name in changed}
        trail.changed(actor, row, told, patient=patient.pk, has_sealed_reason=bool(reason))
    return changed
