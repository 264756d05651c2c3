from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.utils import timezone

from accounts.access import Act, Reach, Resource, reach
from accounts.models import Role, User
from audit import trail
from avicenna.data_keys import data_keys
from avicenna.identifiers import new_id
from avicenna.permissions import require
from avicenna.resealing import reseal_personal
from diagnoses.actions.record import EMPTY, lock_patient, require_for, require_unchanged, write_changes
from diagnoses.errors import NotAPractitioner
from diagnoses.models import BrokenGlass, Diagnosis, Patient, PatientKey, Recommendation
from realtime.publish import forget_stream, rights_changed

# Who sees every record, and may watch any.
SEE_ALL = [role for role in Role if reach(role, Act.READ, Resource.DIAGNOSIS) == Reach.ALL]


@transaction.atomic
def create_patient(
    *,
    actor: User | None,
    full_name: str,
    id: UUID | None = None,
    user: User | None = None,
    care_team: Iterable[User] = (),
    **fields: Any,
) -> Patient:
    """`fields`: birth_date, sex, mizaj_type, medical_history, current_medications, source."""
    if actor != user:
        require(actor, Act.CREATE, Resource.PATIENT)
    key = PatientKey.objects.create()
    patient = Patient(id=id or new_id(), key=key, full_name=full_name, user=user, **fields)
    patient.save(force_insert=True)
    patient.care_team.set({actor, *care_team} if actor and actor.is_practitioner else set(care_team))
    trail.created(actor, patient)
    return patient


@transaction.atomic
def give_key(*, patient_id: UUID) -> None:
    """What is known of the patient is sealed with a key of its own from now on."""
    key = PatientKey.objects.create()
    if not Patient.objects.filter(pk=patient_id, key=None).update(key=key):
        key.delete()  # somebody was faster


@transaction.atomic
def change_patient(
    *, actor: User | None, patient: Patient, changes: Mapping[str, Any], seen: Mapping[str, Any] = EMPTY
) -> Patient:
    """`seen` is what the actor had before them. Raises `ChangedMeanwhile` when what is changed is not so any more."""
    lock_patient(patient.pk)
    require_for(actor, Act.CHANGE, Resource.PATIENT, patient)
    for name in changes:
        require(actor, Act.CHANGE, Resource.PATIENT, name)
    patient = Patient.objects.get(pk=patient.pk)
    require_unchanged(patient, changes, seen)
    write_changes(actor, patient, patient, changes)
    return patient


@transaction.atomic
def set_care_team(*, actor: User | None, patient: Patient, practitioners: Iterable[User]) -> None:
    """Who may see the record from now on. Staff decides."""
    require(actor, Act.CHANGE, Resource.CARE_TEAM)
    lock_patient(patient.pk)
    members = set(practitioners)
    if not all(member.is_practitioner for member in members):
        raise NotAPractitioner(field="care_team")
    before = set(patient.care_team.all())
    if before == members:
        return
    patient.care_team.set(members)
    trail.changed(actor, patient, {"care_team": (before, members)})
    if left := before - members:
        rights_changed(*left)


@transaction.atomic
def erase_patient(*, actor: User | None, patient_id: UUID) -> None:
    """Nobody can tell any more whose record it was, nor read it; what was reported goes on counting in the figures.

    The patient's key is thrown away, and with it everything that is sealed with it, here and in every backup. What is
    not sealed and could tell is taken out. `accounts.actions` does the same for the account.
    """
    lock_patient(patient_id)
    # Whoever reports meanwhile finds the record closed, or is erased with the rest.
    diagnoses = list(Diagnosis.objects.select_for_update().filter(patient=patient_id).order_by("pk"))
    give_key(patient_id=patient_id)
    patient = Patient.objects.select_related("key", "user").get(pk=patient_id)
    if patient.key is None:
        raise LookupError("Every patient has a key by now.")
    reseal_personal(patient.key.pk)
    patient.key.secret = None
    patient.key.save(update_fields=["secret"])
    transaction.on_commit(data_keys.forget)
    watching = {*patient.care_team.all(), *User.objects.filter(role__in=SEE_ALL), *filter(None, [patient.user])}
    patient.user, patient.birth_date, patient.erased_at = None, None, timezone.now()
    patient.save(update_fields=["user", "birth_date", "erased_at", "updated_at"])
    trail.changed(actor, patient, {"is_erased": (False, True)})
    patient.care_team.clear()
    opened = BrokenGlass.objects.standing().filter(patient=patient_id)
    watching |= {glass.practitioner for glass in opened.select_related("practitioner")}
    opened.update(until=patient.erased_at)
    Diagnosis.objects.filter(patient=patient_id).update(takes_events=False)
    Recommendation.objects.filter(diagnosis__patient=patient_id).update(dosage="", frequency="", instructions="")
    LogEntry.objects.filter(content_type__model="patient", object_id=patient_id).delete()
    forget_stream(diagnoses)
    rights_changed(*watching)
