"""The only place that writes patients, diagnoses, recommendations and contraindications, and tells the stream about it.

`actor` is who does it. None is the operator at the command line (an import, the demonstration clinic).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from accounts.access import Act, Reach, Resource, reach
from accounts.models import Role, User
from audit import trail
from avicenna.data_keys import data_keys
from avicenna.errors import Forbidden
from avicenna.identifiers import new_id
from avicenna.permissions import require
from avicenna.resealing import reseal_personal
from diagnoses.consents import TEXT_VERSION
from diagnoses.errors import (
    AlreadyContraindicated,
    AlreadyEnded,
    AlreadyLifted,
    AlreadyRecommended,
    ChangedMeanwhile,
    Contraindicated,
    DiagnosisClosed,
    NoSuchPatient,
    NotAPractitioner,
    RecordClosed,
    RetiredTerm,
)
from diagnoses.models import (
    BrokenGlass,
    CatalogueTerm,
    Condition,
    Consent,
    Contraindication,
    Diagnosis,
    Patient,
    PatientKey,
    Recommendation,
    Remedy,
)
from realtime.events import DiagnosisUpdate, RecommendationState, RecommendationUpdate
from realtime.news import is_news_for
from realtime.publish import forget_stream, publish, rights_changed

# Where it stands on the patient what a consent comes to.
WISHES = {
    Consent.Purpose.TREATMENT: "is_treated",
    Consent.Purpose.STATISTICS: "is_counted",
    Consent.Purpose.TRAINING: "trains_models",
}

EMPTY: Mapping[str, Any] = MappingProxyType({})

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
def change_patient(*, actor: User | None, patient: Patient, changes: Mapping[str, Any]) -> Patient:
    _lock_patient(patient.pk)
    _require(actor, Act.CHANGE, Resource.PATIENT, patient)
    for name in changes:
        require(actor, Act.CHANGE, Resource.PATIENT, name)
    patient = Patient.objects.get(pk=patient.pk)
    _apply(actor, patient, patient, changes)
    return patient


@transaction.atomic
def erase_patient(*, actor: User | None, patient_id: UUID) -> None:
    """Nobody can tell any more whose record it was, nor read it; what was reported goes on counting in the figures.

    The patient's key is thrown away, and with it everything that is sealed with it, here and in every backup. What is
    not sealed and could tell is taken out. `accounts.actions` does the same for the account.
    """
    _lock_patient(patient_id)
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


@transaction.atomic
def set_care_team(*, actor: User | None, patient: Patient, practitioners: Iterable[User]) -> None:
    """Who may see the record from now on. Staff decides."""
    require(actor, Act.CHANGE, Resource.CARE_TEAM)
    _lock_patient(patient.pk)
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
def save_term(*, actor: User | None, term: CatalogueTerm) -> CatalogueTerm:
    """Adds or changes a word of the catalogue. Staff decides."""
    require(actor, Act.CHANGE, Resource.CATALOGUE)
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
    wishes = _lock_patient(patient.pk)
    _require(actor, Act.CREATE, Resource.DIAGNOSIS, patient)
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
    publish(diagnosis, _diagnosis_update(diagnosis, "recorded"))
    return diagnosis


@transaction.atomic
def change_diagnosis(*, actor: User | None, diagnosis: Diagnosis, changes: Mapping[str, Any]) -> Diagnosis:
    """Severity, imbalance, symptoms, notes and status. Notes never travel in the event."""
    _require(actor, Act.CHANGE, Resource.DIAGNOSIS, diagnosis.patient)
    diagnosis = Diagnosis.objects.select_for_update(of=("self",)).for_list().get(pk=diagnosis.pk)
    if not diagnosis.takes_events:
        raise RecordClosed
    if changed := _apply(actor, diagnosis.patient, diagnosis, changes):
        publish(diagnosis, _diagnosis_update(diagnosis, "changed", changed))
    return diagnosis


@transaction.atomic
def recommend(
    *, actor: User | None, diagnosis: Diagnosis, remedy: Remedy, id: UUID | None = None, **fields: Any
) -> Recommendation:
    """`fields`: dosage, frequency, duration_days, instructions, created_at."""
    _lock_patient(diagnosis.patient_id)
    _require(actor, Act.CREATE, Resource.RECOMMENDATION, diagnosis.patient)
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
    if changed := _apply(actor, diagnosis.patient, recommendation, changes):
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
    _apply(actor, diagnosis.patient, recommendation, {"status": Recommendation.Status.COMPLETED})
    _publish(actor, diagnosis, RecommendationUpdate.completed(recommendation))
    return recommendation


@transaction.atomic
def stop_recommendation(*, actor: User | None, recommendation: Recommendation, reason: str = "") -> Recommendation:
    diagnosis, recommendation = _open_recommendation(actor, recommendation)
    _apply(actor, diagnosis.patient, recommendation, {"status": Recommendation.Status.STOPPED}, reason)
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
    _apply(actor, diagnosis.patient, old, {"status": Recommendation.Status.REPLACED}, reason)
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
    _lock_patient(patient.pk)
    _require(actor, Act.CREATE, Resource.CONTRAINDICATION, patient)
    contraindication = Contraindication(
        id=id or new_id(), patient=patient, remedy=remedy, cause=cause, reason=reason, stated_by=actor
    )
    try:
        with transaction.atomic():
            contraindication.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyContraindicated(field="remedy") from error
    trail.created(actor, contraindication)
    _tell_where_given(contraindication)
    return contraindication


@transaction.atomic
def lift_contraindication(*, actor: User | None, contraindication: Contraindication) -> Contraindication:
    """The remedy may be given again; who stated it and who lifted it stays in the record."""
    _lock_patient(contraindication.patient_id)
    _require(actor, Act.CHANGE, Resource.CONTRAINDICATION, contraindication.patient)
    contraindication = Contraindication.objects.for_list().get(pk=contraindication.pk)
    if not contraindication.is_standing:
        raise AlreadyLifted
    contraindication.lifted_at, contraindication.lifted_by = timezone.now(), actor
    contraindication.save(update_fields=["lifted_at", "lifted_by"])
    trail.changed(actor, contraindication, {"is_standing": (True, False)})
    _tell_where_given(contraindication)
    return contraindication


def _tell_where_given(contraindication: Contraindication) -> None:
    """Those who watch a diagnosis in which the remedy is given: what is predicted there changes."""
    given = contraindication.active_recommendations().values("diagnosis")
    # Whoever locks several diagnoses does so in this order.
    locked = Diagnosis.objects.select_for_update(of=("self",)).select_related("patient")
    for diagnosis in locked.filter(pk__in=given, takes_events=True).order_by("pk"):
        publish(diagnosis, _diagnosis_update(diagnosis, "changed", ["contraindications"]))


def _publish(actor: User | None, diagnosis: Diagnosis, update: RecommendationUpdate) -> None:
    """What is given to a patient is news for the patient."""
    publish(diagnosis, update)
    patient = diagnosis.patient.user_id
    if actor and patient and patient != actor.pk:
        is_news_for(diagnosis, [patient])


def _require(actor: User | None, act: Act, resource: Resource, patient: Patient) -> None:
    """Both the role and whose record it is. Raises `Forbidden`.

    Asked once the patient is locked: who takes a right away waits for that lock, or is waited for.
    """
    require(actor, act, resource)
    if actor and not Patient.objects.visible_to(actor).filter(pk=patient.pk).exists():
        raise Forbidden


def _lock_patient(pk: UUID) -> Patient:
    """What is given to a patient and what must not be given are written one after the other.

    Comes before the lock of a diagnosis. It lets those pass who only refer to the patient: a report on a diagnosis
    does so while it holds that diagnosis. Raises `NoSuchPatient` for one who was erased.
    """
    patient = Patient.objects.select_for_update(no_key=True).only("erased_at", *WISHES.values()).filter(pk=pk).first()
    if patient is None or patient.erased_at:
        raise NoSuchPatient
    return patient


@transaction.atomic
def note_consents(*, actor: User, patient_id: UUID, consents: Mapping[Consent.Purpose, bool], language: str) -> Patient:
    """Writes down what differs from what holds, and returns the patient, locked, with what it comes to.

    Without treatment the record is closed: nothing new comes in, and what the clinic must keep is kept. What statistics
    are about is for the caller (`accounts.actions.set_consents`).
    """
    patient = _lock_patient(patient_id)
    latest = {one.purpose: one.is_given for one in Consent.objects.filter(patient=patient_id)}  # the newest comes last
    news = {purpose: is_given for purpose, is_given in consents.items() if latest.get(purpose) != is_given}
    Consent.objects.bulk_create(
        Consent(patient=patient, purpose=purpose, is_given=is_given, text_version=TEXT_VERSION, language=language)
        for purpose, is_given in news.items()
    )
    for purpose, is_given in news.items():
        setattr(patient, WISHES[purpose], is_given)
    patient.save(update_fields=[*WISHES.values(), "updated_at"])
    if news:
        trail.changed(actor, patient, {WISHES[purpose]: (latest.get(purpose), wish) for purpose, wish in news.items()})
    if Consent.Purpose.TREATMENT in news:
        concerned = Diagnosis.objects.select_for_update().filter(patient=patient_id).order_by("pk")
        pks = list(concerned.values_list("pk", flat=True))
        Diagnosis.objects.filter(pk__in=pks).update(takes_events=patient.is_treated)
    return patient


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
    _require(actor, Act.CHANGE, Resource.RECOMMENDATION, diagnosis.patient)
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


def _apply(actor: User | None, patient: Patient, row: Model, changes: Mapping[str, Any], reason: str = "") -> list[str]:
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


def _diagnosis_update(diagnosis: Diagnosis, action: Any, changed: list[str] | None = None) -> DiagnosisUpdate:
    return DiagnosisUpdate(
        action=action,
        status=diagnosis.status,
        severity=diagnosis.severity,
        imbalance=diagnosis.imbalance,
        changed_fields=changed or [],
    )
