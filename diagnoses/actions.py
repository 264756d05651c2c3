"""The only place that writes patients, diagnoses, recommendations and contraindications, and tells the stream about it.

`actor` is who does it. None is the operator at the command line (an import, the demonstration clinic).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from accounts.models import User
from avicenna.errors import ActionError, Forbidden
from avicenna.identifiers import new_id
from diagnoses.models import (
    CatalogueTerm,
    Condition,
    Contraindication,
    Diagnosis,
    Patient,
    PatientKey,
    Recommendation,
    Remedy,
)
from realtime.events import DiagnosisUpdate, RecommendationState, RecommendationUpdate
from realtime.news import is_news_for
from realtime.publish import publish, rights_changed


class AlreadyEnded(ActionError):
    code = "already_ended"
    message = _("This recommendation is no longer active.")
    status = status.HTTP_409_CONFLICT


class AlreadyRecommended(ActionError):
    code = "already_recommended"
    message = _("This remedy is already recommended in this diagnosis.")
    status = status.HTTP_409_CONFLICT


class AlreadyContraindicated(ActionError):
    code = "already_contraindicated"
    message = _("It is already stated that this remedy must not be given.")
    status = status.HTTP_409_CONFLICT


class AlreadyLifted(ActionError):
    code = "already_lifted"
    message = _("This contraindication is already lifted.")
    status = status.HTTP_409_CONFLICT


class Contraindicated(ActionError):
    """Says which remedy and the cause; the reason is for those who read the record."""

    code = "contraindicated"
    status = status.HTTP_409_CONFLICT

    def __init__(self, contraindication: Contraindication) -> None:
        self.message = gettext("%(remedy)s must not be given to this patient (%(cause)s).") % {
            "remedy": contraindication.remedy.name,
            "cause": contraindication.get_cause_display(),
        }
        super().__init__(field="remedy")


class DiagnosisClosed(ActionError):
    code = "diagnosis_closed"
    message = _("This diagnosis is closed.")
    status = status.HTTP_409_CONFLICT


class NotAPractitioner(ActionError):
    code = "not_a_practitioner"
    message = _("A care team consists of practitioners.")


class RetiredTerm(ActionError):
    code = "retired"
    message = _("This is no longer in use in the catalogue.")


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
    if actor and not (actor.is_practitioner or actor.is_staff or actor == user):
        raise Forbidden
    key = PatientKey.objects.create()
    patient = Patient(id=id or new_id(), key=key, full_name=full_name, user=user, **fields)
    patient.save(force_insert=True)
    patient.care_team.set({actor, *care_team} if actor and actor.is_practitioner else set(care_team))
    return patient


@transaction.atomic
def give_key(*, patient_id: UUID) -> None:
    """What is known of the patient is sealed with a key of its own from now on."""
    key = PatientKey.objects.create()
    if not Patient.objects.filter(pk=patient_id, key=None).update(key=key):
        key.delete()  # somebody was faster


@transaction.atomic
def change_patient(*, actor: User | None, patient: Patient, changes: Mapping[str, Any]) -> Patient:
    _require_care_team(actor, patient)
    patient = Patient.objects.select_for_update().get(pk=patient.pk)
    _apply(patient, changes)
    return patient


@transaction.atomic
def set_care_team(*, actor: User | None, patient: Patient, practitioners: Iterable[User]) -> None:
    """Who may see the record from now on. Staff decides."""
    if actor and not actor.is_staff:
        raise Forbidden
    members = set(practitioners)
    if not all(member.is_practitioner for member in members):
        raise NotAPractitioner(field="care_team")
    left = set(patient.care_team.all()) - members
    patient.care_team.set(members)
    if left:
        rights_changed(*left)


@transaction.atomic
def save_term(*, actor: User | None, term: CatalogueTerm) -> CatalogueTerm:
    """Adds or changes a word of the catalogue. Staff decides."""
    if actor and not actor.is_staff:
        raise Forbidden
    term.full_clean()
    term.save()
    return term


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
    _require_care_team(actor, patient)
    if not condition.is_active:
        raise RetiredTerm(field="condition")
    diagnosis = Diagnosis(
        id=id or new_id(),
        patient=patient,
        practitioner=practitioner or actor,
        condition=condition,
        severity=severity,
        **fields,
    )
    diagnosis.save(force_insert=True)
    publish(diagnosis, _diagnosis_update(diagnosis, "recorded"))
    return diagnosis


@transaction.atomic
def change_diagnosis(*, actor: User | None, diagnosis: Diagnosis, changes: Mapping[str, Any]) -> Diagnosis:
    """Severity, imbalance, symptoms, notes and status. Notes never travel in the event."""
    _require_care_team(actor, diagnosis.patient)
    diagnosis = Diagnosis.objects.select_for_update(of=("self",)).for_list().get(pk=diagnosis.pk)
    if changed := _apply(diagnosis, changes):
        publish(diagnosis, _diagnosis_update(diagnosis, "changed", changed))
    return diagnosis


@transaction.atomic
def recommend(
    *, actor: User | None, diagnosis: Diagnosis, remedy: Remedy, id: UUID | None = None, **fields: Any
) -> Recommendation:
    """`fields`: dosage, frequency, duration_days, instructions, created_at."""
    _require_care_team(actor, diagnosis.patient)
    _lock_patient(diagnosis.patient_id)
    diagnosis = _open_diagnosis(diagnosis.pk)
    recommendation = _add(diagnosis, remedy, id=id, **fields)
    _publish(actor, diagnosis, RecommendationUpdate.added(recommendation))
    return recommendation


@transaction.atomic
def change_recommendation(
    *, actor: User | None, recommendation: Recommendation, changes: Mapping[str, Any]
) -> Recommendation:
    """Dosage, frequency, duration and instructions of an active recommendation."""
    diagnosis, recommendation = _open_recommendation(actor, recommendation)
    previous = RecommendationState.of(recommendation)
    if changed := _apply(recommendation, changes):
        state = RecommendationState.of(recommendation)
        _publish(
            actor,
            diagnosis,
            RecommendationUpdate(action="changed", recommendation=state, previous=previous, changed_fields=changed),
        )
    return recommendation


@transaction.atomic
def complete_recommendation(*, actor: User | None, recommendation: Recommendation) -> Recommendation:
    """The course was followed to its end."""
    diagnosis, recommendation = _open_recommendation(actor, recommendation)
    _apply(recommendation, {"status": Recommendation.Status.COMPLETED})
    _publish(actor, diagnosis, RecommendationUpdate.completed(recommendation))
    return recommendation


@transaction.atomic
def stop_recommendation(*, actor: User | None, recommendation: Recommendation, reason: str = "") -> Recommendation:
    diagnosis, recommendation = _open_recommendation(actor, recommendation)
    _apply(recommendation, {"status": Recommendation.Status.STOPPED})
    _publish(actor, diagnosis, RecommendationUpdate.stopped(recommendation, reason=reason))
    return recommendation


@transaction.atomic
def replace_recommendation(
    *,
    actor: User | None,
    recommendation: Recommendation,
    remedy: Remedy,
    reason: str = "",
    id: UUID | None = None,
    **fields: Any,
) -> Recommendation:
    """Ends one recommendation and begins another in its place; returns the new one."""
    _lock_patient(recommendation.diagnosis.patient_id)
    diagnosis, old = _open_recommendation(actor, recommendation)
    _apply(old, {"status": Recommendation.Status.REPLACED})
    new = _add(diagnosis, remedy, id=id, replaces=old, **fields)
    _publish(
        actor,
        diagnosis,
        RecommendationUpdate(
            action="replaced",
            recommendation=RecommendationState.of(new),
            previous=RecommendationState.of(old),
            changed_fields=["status"],
            reason=reason,
        ),
    )
    return new


@transaction.atomic
def contraindicate(
    *,
    actor: User | None,
    patient: Patient,
    remedy: Remedy,
    cause: Contraindication.Cause,
    reason: str = "",
    id: UUID | None = None,
) -> Contraindication:
    """From now on nobody can recommend the remedy to the patient, and no prediction names it.

    What is given already goes on until a practitioner stops it: see `Contraindication.active_recommendations`.
    A retired remedy can be named, too: it may come back.
    """
    _require_care_team(actor, patient)
    _lock_patient(patient.pk)
    contraindication = Contraindication(
        id=id or new_id(), patient=patient, remedy=remedy, cause=cause, reason=reason, stated_by=actor
    )
    try:
        with transaction.atomic():
            contraindication.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyContraindicated(field="remedy") from error
    _tell_where_given(contraindication)
    return contraindication


@transaction.atomic
def lift_contraindication(*, actor: User | None, contraindication: Contraindication) -> Contraindication:
    """The remedy may be given again; who stated it and who lifted it stays in the record."""
    _require_care_team(actor, contraindication.patient)
    _lock_patient(contraindication.patient_id)
    contraindication = Contraindication.objects.for_list().get(pk=contraindication.pk)
    if not contraindication.is_standing:
        raise AlreadyLifted
    contraindication.lifted_at, contraindication.lifted_by = timezone.now(), actor
    contraindication.save(update_fields=["lifted_at", "lifted_by"])
    _tell_where_given(contraindication)
    return contraindication


def _tell_where_given(contraindication: Contraindication) -> None:
    """Those who watch a diagnosis in which the remedy is given: what is predicted there changes."""
    given = contraindication.active_recommendations().values("diagnosis")
    # Whoever locks several diagnoses does so in this order.
    locked = Diagnosis.objects.select_for_update(of=("self",)).select_related("patient")
    for diagnosis in locked.filter(pk__in=given).order_by("pk"):
        publish(diagnosis, _diagnosis_update(diagnosis, "changed", ["contraindications"]))


def _publish(actor: User | None, diagnosis: Diagnosis, update: RecommendationUpdate) -> None:
    """What is given to a patient is news for the patient."""
    publish(diagnosis, update)
    patient = diagnosis.patient.user_id
    if actor and patient and patient != actor.pk:
        is_news_for(diagnosis, [patient])


def _require_care_team(actor: User | None, patient: Patient) -> None:
    if actor and not (actor.is_practitioner and Patient.objects.visible_to(actor).filter(pk=patient.pk).exists()):
        raise Forbidden


def _lock_patient(pk: UUID) -> None:
    """What is given to a patient and what must not be given are written one after the other.

    Comes before the lock of a diagnosis. It lets those pass who only refer to the patient: a report on a diagnosis
    does so while it holds that diagnosis.
    """
    Patient.objects.select_for_update(no_key=True).only("pk").get(pk=pk)


def _open_diagnosis(pk: UUID) -> Diagnosis:
    """Locked, so that what is decided about the diagnosis still holds when it is written."""
    diagnosis = Diagnosis.objects.select_for_update(of=("self",)).select_related("patient").get(pk=pk)
    if not diagnosis.is_active:
        raise DiagnosisClosed
    return diagnosis


def _open_recommendation(actor: User | None, recommendation: Recommendation) -> tuple[Diagnosis, Recommendation]:
    diagnosis = _open_diagnosis(recommendation.diagnosis_id)
    _require_care_team(actor, diagnosis.patient)
    recommendation = Recommendation.objects.for_list().get(pk=recommendation.pk)
    if not recommendation.is_active:
        raise AlreadyEnded
    return diagnosis, recommendation


def _add(diagnosis: Diagnosis, remedy: Remedy, *, id: UUID | None, **fields: Any) -> Recommendation:
    if not remedy.is_active:
        raise RetiredTerm(field="remedy")
    standing = Contraindication.objects.standing().of_patients([diagnosis.patient_id])
    if contraindication := standing.filter(remedy=remedy).first():
        raise Contraindicated(contraindication)
    recommendation = Recommendation(id=id or new_id(), diagnosis=diagnosis, remedy=remedy, **fields)
    try:
        with transaction.atomic():
            recommendation.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyRecommended(field="remedy") from error
    return recommendation


def _apply(row: Model, changes: Mapping[str, Any]) -> list[str]:
    """Writes what differs and returns its names."""
    changed = [name for name, value in changes.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, changes[name])
    if changed:
        row.save(update_fields=[*changed, "updated_at"])
    return changed


def _diagnosis_update(diagnosis: Diagnosis, action: Any, changed: list[str] | None = None) -> DiagnosisUpdate:
    return DiagnosisUpdate(
        action=action,
        status=diagnosis.status,
        severity=diagnosis.severity,
        imbalance=diagnosis.imbalance,
        changed_fields=changed or [],
    )
