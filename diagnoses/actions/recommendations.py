from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.access import Act, Resource
from accounts.models import User
from audit import trail
from avicenna.identifiers import new_id
from diagnoses.actions.record import EMPTY, lock_patient, require_for, write_changes
from diagnoses.errors import (
    AlreadyEnded,
    AlreadyRecommended,
    ChangedMeanwhile,
    Contraindicated,
    DiagnosisClosed,
    RecordClosed,
    RetiredTerm,
)
from diagnoses.models import Contraindication, Diagnosis, Recommendation, Remedy
from realtime.events import RecommendationState, RecommendationUpdate
from realtime.news import is_news_for
from realtime.publish import publish


@transaction.atomic
def recommend(
    *, actor: User | None, diagnosis: Diagnosis, remedy: Remedy, id: UUID | None = None, **fields: Any
) -> Recommendation:
    """`fields`: dosage, frequency, duration_days, instructions, created_at."""
    lock_patient(diagnosis.patient_id)
    require_for(actor, Act.CREATE, Resource.RECOMMENDATION, diagnosis.patient)
    diagnosis = _open_diagnosis(diagnosis.pk)
    recommendation = _add(actor, diagnosis, remedy, id=id, **fields)
    _publish(actor, diagnosis, RecommendationUpdate.added(recommendation))
    return recommendation


@transaction.atomic
def change_recommendation(
    *, actor: User | None, recommendation: Recommendation, changes: Mapping[str, Any], seen: Mapping[str, Any] = EMPTY
) -> Recommendation:
    """Dosage, frequency, duration and instructions of an active recommendation.

    `seen` is what the actor had before them. Raises `ChangedMeanwhile` when it is not so any more.
    """
    diagnosis, recommendation = _open_recommendation(actor, recommendation)
    if any(getattr(recommendation, name) != value for name, value in seen.items()):
        raise ChangedMeanwhile(recommendation)
    previous = RecommendationState.of(recommendation)
    if changed := write_changes(actor, diagnosis.patient, recommendation, changes):
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
    write_changes(actor, diagnosis.patient, recommendation, {"status": Recommendation.Status.COMPLETED})
    _publish(actor, diagnosis, RecommendationUpdate.completed(recommendation))
    return recommendation


@transaction.atomic
def stop_recommendation(*, actor: User | None, recommendation: Recommendation, reason: str = "") -> Recommendation:
    diagnosis, recommendation = _open_recommendation(actor, recommendation)
    write_changes(actor, diagnosis.patient, recommendation, {"status": Recommendation.Status.STOPPED}, reason)
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
    lock_patient(recommendation.diagnosis.patient_id)
    diagnosis, old = _open_recommendation(actor, recommendation)
    write_changes(actor, diagnosis.patient, old, {"status": Recommendation.Status.REPLACED}, reason)
    new = _add(actor, diagnosis, remedy, id=id, replaces=old, **fields)
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


def _open_diagnosis(pk: UUID) -> Diagnosis:
    """Locked, so that what is decided about the diagnosis still holds when it is written."""
    diagnosis = Diagnosis.objects.select_for_update(of=("self",)).select_related("patient").get(pk=pk)
    if not diagnosis.takes_events:
        raise RecordClosed
    if not diagnosis.is_active:
        raise DiagnosisClosed
    return diagnosis


def _open_recommendation(actor: User | None, recommendation: Recommendation) -> tuple[Diagnosis, Recommendation]:
    diagnosis = _open_diagnosis(recommendation.diagnosis_id)
    require_for(actor, Act.CHANGE, Resource.RECOMMENDATION, diagnosis.patient)
    recommendation = Recommendation.objects.for_list().get(pk=recommendation.pk)
    if not recommendation.is_active:
        raise AlreadyEnded
    return diagnosis, recommendation


def _add(actor: User | None, diagnosis: Diagnosis, remedy: Remedy, *, id: UUID | None, **fields: Any) -> Recommendation:
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
    trail.created(actor, recommendation)
    return recommendation


def _publish(actor: User | None, diagnosis: Diagnosis, update: RecommendationUpdate) -> None:
    """What is given to a patient is news for the patient."""
    publish(diagnosis, update)
    patient = diagnosis.patient.user_id
    if actor and patient and patient != actor.pk:
        is_news_for(diagnosis, [patient])
