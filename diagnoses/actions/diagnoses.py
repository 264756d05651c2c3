from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.access import Act, Resource
from accounts.models import User
from audit import trail
from avicenna.identifiers import new_id
from diagnoses.actions.record import EMPTY, lock_patient, require_for, require_unchanged, write_changes
from diagnoses.errors import RecordClosed, RetiredTerm
from diagnoses.models import Condition, Diagnosis, Patient
from realtime.events import DiagnosisUpdate
from realtime.publish import publish


@transaction.atomic
def record_diagnosis(
    *,
    actor: User | None,
    patient: Patient,
    condition: Condition,
    severity: int,
    practitioner: User | None = None,
    id: UUID | None = None,
    **fields: Any,
) -> Diagnosis:
    """`practitioner` is the actor unless said otherwise. `fields`: imbalance, symptoms, notes, created_at."""
    wishes = lock_patient(patient.pk)
    require_for(actor, Act.CREATE, Resource.DIAGNOSIS, patient)
    if not wishes.is_treated:
        raise RecordClosed
    if not condition.is_active:
        raise RetiredTerm(field="condition")
    diagnosis = Diagnosis(
        id=id or new_id(),
        patient=patient,
        practitioner=practitioner or actor,
        condition=condition,
        severity=severity,
        is_counted=wishes.is_counted,
        **fields,
    )
    diagnosis.save(force_insert=True)
    trail.created(actor, diagnosis)
    publish(diagnosis, diagnosis_update(diagnosis, "recorded"))
    return diagnosis


@transaction.atomic
def change_diagnosis(
    *, actor: User | None, diagnosis: Diagnosis, changes: Mapping[str, Any], seen: Mapping[str, Any] = EMPTY
) -> Diagnosis:
    """Severity, imbalance, symptoms, notes and status. Notes never travel in the event.

    `seen` is what the actor had before them. Raises `ChangedMeanwhile` when what is changed is not so any more.
    """
    require_for(actor, Act.CHANGE, Resource.DIAGNOSIS, diagnosis.patient)
    diagnosis = Diagnosis.objects.select_for_update(of=("self",)).for_list().get(pk=diagnosis.pk)
    if not diagnosis.takes_events:
        raise RecordClosed
    require_unchanged(diagnosis, changes, seen)
    if changed := write_changes(actor, diagnosis.patient, diagnosis, changes):
        publish(diagnosis, diagnosis_update(diagnosis, "changed", changed))
    return diagnosis


def diagnosis_update(diagnosis: Diagnosis, action: Any, changed: list[str] | None = None) -> DiagnosisUpdate:
    return DiagnosisUpdate(
        action=action,
        status=diagnosis.status,
        severity=diagnosis.severity,
        imbalance=diagnosis.imbalance,
        changed_fields=changed or [],
    )
