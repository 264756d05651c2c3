"""The only place that writes feedback: the report, its rollups, the head and the events stand or fall together.

`actor` is who reports: the patient. None is the operator at the command line (an import, the demonstration clinic).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Literal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import Act, Resource
from accounts.models import User
from analytics import rollups
from analytics.actions import Rescoring, ranking_is_due, recalculate_diagnosis
from analytics.evidence import Evidence, Finding
from analytics.subjects import Subject, subjects_of
from audit import trail
from avicenna.errors import Forbidden
from avicenna.identifiers import new_id
from avicenna.metrics import feedback_submissions
from avicenna.permissions import require
from avicenna.sql import Statement, insert, run
from diagnoses.models import Diagnosis, Recommendation, SideEffect
from feedback.errors import DiagnosisInError, OtherDiagnosis, TooLate, Withdrawn
from feedback.locks import locked_diagnosis, open_diagnosis, open_recommendation
from feedback.models import SEVERE, Feedback, SevereFlag, SideEffectReport
from realtime.events import FeedbackUpdate, SevereSideEffect
from realtime.news import is_news_for
from realtime.publish import appending, numbering, publish

CHANGE_DAYS = 30

Action = Literal["created", "changed", "withdrawn"]
Effects = Mapping[SideEffect, int]


@dataclass(frozen=True)
class Report:
    """What a patient says about one recommendation. `side_effects` maps effects to severities 1-5."""

    recommendation_id: UUID
    rating: int
    symptom_improvement: int
    compliance: int | None = None
    comment: str = ""
    side_effects: Effects = field(default_factory=dict)
    client_id: UUID | None = None
    at: datetime | None = None


def submit(
    *, actor: User | None, recommendation_id: UUID, diagnosis_id: UUID | None = None, **said: Any
) -> tuple[Feedback, bool]:
    """Stores a report once per `client_id` and returns it, and whether it is new.

    `said` are the other fields of `Report`; `at` is for what was reported before (an import). `diagnosis_id` is what
    the patient believes it belongs to, if said.
    """
    report = Report(recommendation_id, **said)
    try:
        return _store(actor, report, diagnosis_id), True
    except IntegrityError:  # only now is it looked for: hardly any report is sent twice
        if (sent_before := _sent_before(report)) is None:
            raise
        return sent_before, False


@transaction.atomic
def _store(actor: User | None, report: Report, diagnosis_id: UUID | None) -> Feedback:
    recommendation = open_recommendation(actor, report.recommendation_id)
    diagnosis = recommendation.diagnosis
    if diagnosis_id and diagnosis_id != diagnosis.pk:
        raise OtherDiagnosis(field="diagnosis")
    feedback = _feedback(diagnosis, recommendation, report)
    told = trail.creating(actor, feedback)
    if not feedback.is_counted:
        _tell(diagnosis, "created", [feedback], [*_storing([feedback]), *told])
        return feedback
    sums, day = _sums(feedback), rollups.day_of(feedback.created_at)
    adding = {subject: Evidence.of(sums, day) for subject in subjects_of(feedback)}
    # Every report raises the sums of everything: whoever did so first is waited for until the end of the transaction.
    last = [*told, *rollups.count_in({feedback: sums})]
    _tell(diagnosis, "created", [feedback], _storing([feedback]), adding, last)
    return feedback


@transaction.atomic
def submit_history(*, reports: Sequence[Report]) -> None:
    """Many reports of the past at once, each new; those who watch a diagnosis are told when all are counted.

    It locks every diagnosis concerned until the end: for a database that nobody works with yet.
    """
    on: Mapping[UUID, Recommendation] = Recommendation.objects.select_related("remedy").in_bulk(
        {report.recommendation_id for report in reports}
    )
    by_diagnosis: defaultdict[UUID, list[Report]] = defaultdict(list)
    for report in reports:
        by_diagnosis[on[report.recommendation_id].diagnosis_id].append(report)
    stored: dict[Diagnosis, list[Feedback]] = {}
    for diagnosis in map(open_diagnosis, sorted(by_diagnosis)):
        given = by_diagnosis[diagnosis.pk]
        stored[diagnosis] = [_feedback(diagnosis, on[report.recommendation_id], report) for report in given]
    everything = list(chain.from_iterable(stored.values()))
    counted = {feedback: _sums(feedback) for feedback in everything if feedback.is_counted}
    run(*_storing(everything), *trail.creating(None, *everything), *rollups.count_in(counted))
    for diagnosis, own in stored.items():
        _tell(diagnosis, "created", own)


@transaction.atomic
def change(*, actor: User | None, feedback: Feedback, changes: Mapping[str, Any]) -> Feedback:
    """Changes rating, symptom_improvement, compliance, comment or side_effects within CHANGE_DAYS."""
    diagnosis, feedback = _own(actor, feedback)
    if feedback.created_at < timezone.now() - timedelta(days=CHANGE_DAYS):
        raise TooLate
    changes = {name: value for name, value in changes.items() if _said(feedback, name) != value}
    if not changes:
        return feedback
    before, said = _sums(feedback), {name: _told(_said(feedback, name)) for name in changes}
    for name, value in changes.items():
        if name != "side_effects":
            setattr(feedback, name, value)
    feedback.save(update_fields=[*(changes.keys() - {"side_effects"}), "updated_at"])
    if "side_effects" in changes:
        feedback.side_effects.all().delete()
        feedback.effects = SideEffectReport.objects.bulk_create(_rows(feedback, changes["side_effects"]))
    trail.changed(actor, feedback, {name: (said[name], _told(_said(feedback, name))) for name in changes})
    if feedback.is_counted:
        rollups.adjust(feedback, before, _sums(feedback))
    _tell(diagnosis, "changed", [feedback])
    return feedback


@transaction.atomic
def withdraw(*, actor: User | None, feedback: Feedback) -> Feedback:
    """Takes a report back: it stays in the record, marked, and leaves every figure."""
    diagnosis, feedback = _own(actor, feedback)
    if feedback.is_counted:
        rollups.count_out(feedback, _sums(feedback))
    feedback.withdrawn_at = timezone.now()
    feedback.save(update_fields=["withdrawn_at", "updated_at"])
    trail.changed(actor, feedback, {"is_withdrawn": (False, True)})
    _tell(diagnosis, "withdrawn", [feedback])
    return feedback


@transaction.atomic
def set_counted(*, patient_id: UUID, is_counted: bool) -> None:
    """All that a patient has reported and will report leaves the figures, or is counted in again.

    The scores that watchers see follow at once. The caller holds the patient.
    """
    # Whoever reports meanwhile waits here and finds the new wish on the diagnosis.
    diagnoses = list(Diagnosis.objects.select_for_update().filter(patient=patient_id).order_by("pk"))
    Diagnosis.objects.filter(patient=patient_id).update(is_counted=is_counted)
    own = Feedback.objects.filter(patient=patient_id)
    concerned = own.standing().filter(is_counted=not is_counted).for_list().select_related("diagnosis")
    sums = {feedback: _sums(feedback) for feedback in concerned}
    own.update(is_counted=is_counted)
    if is_counted:
        run(*rollups.count_in(sums))
    else:
        rollups.count_out_patient(patient_id, sums)
    for diagnosis in diagnoses:
        given = Recommendation.objects.filter(diagnosis=diagnosis).values_list("pk", flat=True)
        recalculate_diagnosis(diagnosis_id=diagnosis.pk, recommendation_ids=list(given))


@transaction.atomic
def look_at(*, actor: User, flag: SevereFlag) -> SevereFlag:
    """Somebody of the clinic has seen it; who was first stays."""
    require(actor, Act.CHANGE, Resource.SEVERE_FLAG)
    diagnosis = locked_diagnosis(flag.feedback.diagnosis_id)
    if diagnosis.status == Diagnosis.Status.ENTERED_IN_ERROR:
        raise DiagnosisInError
    flag = SevereFlag.objects.for_list().get(pk=flag.pk)
    if flag.looked_at is None:
        flag.looked_at, flag.looked_at_by = timezone.now(), actor
        flag.save(update_fields=["looked_at", "looked_at_by"])
        trail.changed(actor, flag, {"looked_at_by": (None, actor)})
        if diagnosis.takes_events:
            publish(diagnosis, _severe("looked_at", flag.feedback))
    return flag


def _sent_before(report: Report) -> Feedback | None:
    if report.client_id is None:
        return None
    same_patient = Feedback.objects.for_list().filter(patient__diagnoses__recommendations=report.recommendation_id)
    return same_patient.filter(client_id=report.client_id).first()


def _own(actor: User | None, feedback: Feedback) -> tuple[Diagnosis, Feedback]:
    diagnosis = open_diagnosis(feedback.diagnosis_id)
    if actor and diagnosis.patient.user_id != actor.pk:
        raise Forbidden
    feedback = Feedback.objects.for_list().get(pk=feedback.pk)
    feedback.patient = diagnosis.patient
    if feedback.is_withdrawn:
        raise Withdrawn
    return diagnosis, feedback


def _feedback(diagnosis: Diagnosis, recommendation: Recommendation, report: Report) -> Feedback:
    feedback = Feedback(
        recommendation=recommendation,
        diagnosis=diagnosis,
        patient=diagnosis.patient,
        mizaj=diagnosis.patient.mizaj_type,
        is_counted=diagnosis.is_counted,
        rating=report.rating,
        symptom_improvement=report.symptom_improvement,
        compliance=report.compliance,
        comment=report.comment,
        client_id=report.client_id or new_id(),
        created_at=report.at or timezone.now(),
    )
    feedback.effects = _rows(feedback, report.side_effects)
    return feedback


def _rows(feedback: Feedback, effects: Effects) -> list[SideEffectReport]:
    return [SideEffectReport(feedback=feedback, effect=effect, severity=of) for effect, of in effects.items()]


def _effects(feedback: Feedback) -> dict[SideEffect, int]:
    return {report.effect: report.severity for report in feedback.effects}


def _said(feedback: Feedback, name: str) -> Any:
    return _effects(feedback) if name == "side_effects" else getattr(feedback, name)


def _told(said: Any) -> Any:
    """As the audit trail takes it: side effects as `slug severity`."""
    return [f"{effect.slug} {severity}" for effect, severity in said.items()] if isinstance(said, dict) else said


def _sums(feedback: Feedback) -> rollups.Sums:
    return rollups.Sums.of(feedback, [report.severity for report in feedback.effects])


def _storing(reports: Sequence[Feedback]) -> list[Statement]:
    effects = [row for feedback in reports for row in feedback.effects]
    for feedback in reports:
        transaction.on_commit(feedback_submissions.labels(str(feedback.rating)).inc, robust=True)
    return [*insert(reports), *insert(effects)]


def _tell(
    diagnosis: Diagnosis,
    action: Action,
    reports: Sequence[Feedback],
    first: Sequence[Statement] = (),
    adding: Mapping[Subject, Evidence] | None = None,
    last: Sequence[Statement] = (),
) -> None:
    """Brings the scores of the recommendations concerned up to date and puts all facts into the stream.

    `first` and `last` are written with it; `adding` is the evidence that only `last` writes.
    """
    raised = _flag(action, reports)
    rescoring = Rescoring(diagnosis, {one.recommendation_id: one.recommendation for one in reports}.values())
    count = len(reports) + len(rescoring) + len(raised)
    *_written, known, head = run(*first, rescoring.asked, numbering(diagnosis, count))
    rescored = rescoring.found(known, adding)
    findings = {one.recommendation.pk: one.finding for one in rescored}
    events = [
        *(_feedback_update(action, one, findings[one.recommendation_id]) for one in reports),
        *(one.update for one in rescored),
        *raised,
    ]
    run(*(one.saving for one in rescored), *appending(diagnosis, head, events), ranking_is_due(diagnosis), *last)
    if any(one.action == "raised" for one in raised):
        is_news_for(diagnosis, diagnosis.patient.care_team.values_list("pk", flat=True))


def _flag(action: Action, reports: Sequence[Feedback]) -> list[SevereSideEffect]:
    """Raises a flag for each report that names a severe side effect, and takes back one nobody has looked at yet.

    What is older than CHANGE_DAYS, as in an import, calls for nobody any more.
    """
    since = timezone.now() - timedelta(days=CHANGE_DAYS)
    severe = {one for one in reports if not one.is_withdrawn and one.created_at >= since and _severest(one)}
    known = () if action == "created" else SevereFlag.objects.filter(feedback__in=reports)
    flags = {flag.feedback_id: flag for flag in known}
    raised = [one for one in reports if one in severe and one.pk not in flags]
    if raised:
        SevereFlag.objects.bulk_create(SevereFlag(feedback=one, raised_at=one.updated_at) for one in raised)
    taken_back = [one for one in reports if one not in severe and one.pk in flags and flags[one.pk].looked_at is None]
    if taken_back:
        SevereFlag.objects.filter(feedback__in=taken_back).delete()
    return [*(_severe("raised", one) for one in raised), *(_severe("taken_back", one) for one in taken_back)]


def _severest(feedback: Feedback) -> list[str]:
    return [row.effect.slug for row in feedback.effects if row.severity >= SEVERE]


def _severe(action: Literal["raised", "looked_at", "taken_back"], feedback: Feedback) -> SevereSideEffect:
    return SevereSideEffect(
        action=action,
        feedback_id=feedback.pk,
        recommendation_id=feedback.recommendation_id,
        side_effects=_severest(feedback),
    )


def _feedback_update(action: Action, feedback: Feedback, finding: Finding) -> FeedbackUpdate:
    return FeedbackUpdate(
        action=action,
        feedback_id=feedback.pk,
        recommendation_id=feedback.recommendation_id,
        rating=feedback.rating,
        symptom_improvement=feedback.symptom_improvement,
        average_rating=finding.average_rating,
        sample_size=finding.estimate.sample_size,
        side_effects=[row.effect.slug for row in feedback.effects],
    )
