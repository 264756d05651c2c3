"""The only place that writes feedback: the report, its rollups, the head and the events stand or fall together.

`actor` is who reports: the patient. None is the operator at the command line (an import, the demonstration clinic).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from accounts.models import User
from analytics import rollups
from analytics.actions import rescore
from analytics.evidence import Finding
from avicenna.errors import ActionError, Forbidden
from avicenna.identifiers import new_id
from avicenna.metrics import feedback_submissions
from diagnoses.models import Diagnosis, Recommendation, SideEffect
from feedback.models import SEVERE, Feedback, SevereFlag, SideEffectReport
from realtime.events import FeedbackUpdate, SevereSideEffect
from realtime.publish import publish

CHANGE_DAYS = 30

# How many rows are written in one statement.
BATCH = 1_000

Action = Literal["created", "changed", "withdrawn"]
Effects = Mapping[SideEffect, int]
News = Mapping[Feedback, Effects]


class DiagnosisInError(ActionError):
    code = "diagnosis_closed"
    message = _("This diagnosis was entered in error; nothing can be reported on it.")
    status = status.HTTP_409_CONFLICT


class Withdrawn(ActionError):
    code = "withdrawn"
    message = _("This feedback was withdrawn.")
    status = status.HTTP_409_CONFLICT


class TooLate(ActionError):
    code = "too_late"
    message = _("Feedback can be changed for 30 days.")
    status = status.HTTP_409_CONFLICT


@dataclass(frozen=True)
class Report:
    """What a patient says about one recommendation. `side_effects` maps effects to severities 1-5."""

    recommendation: Recommendation
    rating: int
    symptom_improvement: int
    compliance: int | None = None
    comment: str = ""
    side_effects: Effects = field(default_factory=dict)
    client_id: UUID | None = None
    at: datetime | None = None


@transaction.atomic
def submit(*, actor: User | None, recommendation: Recommendation, **said: Any) -> tuple[Feedback, bool]:
    """Stores a report once per `client_id` and returns it, and whether it is new.

    `said` are the other fields of `Report`; `at` is for what was reported before (an import).
    """
    report = Report(recommendation, **said)
    diagnosis = _lock(recommendation.diagnosis_id)
    if actor and diagnosis.patient.user_id != actor.pk:
        raise Forbidden
    if report.client_id and (sent_before := _sent_before(diagnosis, report.client_id)):
        return sent_before, False
    feedback = _feedback(diagnosis, report)
    feedback.save(force_insert=True)
    _count_in({feedback: report.side_effects})
    _tell(diagnosis, "created", {feedback: report.side_effects})
    return feedback, True


@transaction.atomic
def submit_history(*, reports: Sequence[Report]) -> None:
    """Many reports of the past at once, each new; those who watch a diagnosis are told when all are counted.

    It locks every diagnosis concerned until the end: for a database that nobody works with yet.
    """
    by_diagnosis: defaultdict[UUID, list[Report]] = defaultdict(list)
    for report in reports:
        by_diagnosis[report.recommendation.diagnosis_id].append(report)
    told = {}
    for diagnosis in map(_lock, sorted(by_diagnosis)):
        told[diagnosis] = {_feedback(diagnosis, r): r.side_effects for r in by_diagnosis[diagnosis.pk]}
    everything = {feedback: effects for news in told.values() for feedback, effects in news.items()}
    Feedback.objects.bulk_create(everything, batch_size=BATCH)
    _count_in(everything)
    for diagnosis, news in told.items():
        _tell(diagnosis, "created", news)


@transaction.atomic
def change(*, actor: User | None, feedback: Feedback, changes: Mapping[str, Any]) -> Feedback:
    """Changes rating, symptom_improvement, compliance, comment or side_effects within CHANGE_DAYS."""
    diagnosis, feedback = _own(actor, feedback)
    if feedback.created_at < timezone.now() - timedelta(days=CHANGE_DAYS):
        raise TooLate
    changes = {name: value for name, value in changes.items() if _said(feedback, name) != value}
    if not changes:
        return feedback
    before = _sums(feedback)
    for name, value in changes.items():
        if name != "side_effects":
            setattr(feedback, name, value)
    feedback.save(update_fields=[*(changes.keys() - {"side_effects"}), "updated_at"])
    if "side_effects" in changes:
        feedback.side_effects.all().delete()
        _report_effects({feedback: changes["side_effects"]})
    feedback = Feedback.objects.for_list().get(pk=feedback.pk)
    rollups.adjust(feedback, before, _sums(feedback))
    _tell(diagnosis, "changed", {feedback: _effects(feedback)})
    return feedback


@transaction.atomic
def withdraw(*, actor: User | None, feedback: Feedback) -> Feedback:
    """Takes a report back: it stays in the record, marked, and leaves every figure."""
    diagnosis, feedback = _own(actor, feedback)
    rollups.count_out(feedback, _sums(feedback))
    feedback.withdrawn_at = timezone.now()
    feedback.save(update_fields=["withdrawn_at", "updated_at"])
    _tell(diagnosis, "withdrawn", {feedback: _effects(feedback)})
    return feedback


@transaction.atomic
def look_at(*, actor: User, flag: SevereFlag) -> SevereFlag:
    """Somebody of the clinic has seen it; who was first stays."""
    if not (actor.is_practitioner or actor.is_staff):
        raise Forbidden
    diagnosis = _lock(flag.feedback.diagnosis_id)
    flag = SevereFlag.objects.for_list().get(pk=flag.pk)
    if flag.looked_at is None:
        flag.looked_at, flag.looked_at_by = timezone.now(), actor
        flag.save(update_fields=["looked_at", "looked_at_by"])
        publish(diagnosis, _severe("looked_at", flag.feedback, _effects(flag.feedback)))
    return flag


def _lock(diagnosis_id: UUID) -> Diagnosis:
    """Reports on one diagnosis wait for each other: their numbers and their idempotency hang on it."""
    diagnosis = Diagnosis.objects.select_for_update(of=("self",)).select_related("patient").get(pk=diagnosis_id)
    if diagnosis.status == Diagnosis.Status.ENTERED_IN_ERROR:
        raise DiagnosisInError
    return diagnosis


def _sent_before(diagnosis: Diagnosis, client_id: UUID) -> Feedback | None:
    return Feedback.objects.for_list().filter(patient=diagnosis.patient_id, client_id=client_id).first()


def _own(actor: User | None, feedback: Feedback) -> tuple[Diagnosis, Feedback]:
    diagnosis = _lock(feedback.diagnosis_id)
    if actor and diagnosis.patient.user_id != actor.pk:
        raise Forbidden
    feedback = Feedback.objects.for_list().get(pk=feedback.pk)
    if feedback.is_withdrawn:
        raise Withdrawn
    return diagnosis, feedback


def _feedback(diagnosis: Diagnosis, report: Report) -> Feedback:
    return Feedback(
        recommendation=report.recommendation,
        diagnosis=diagnosis,
        patient=diagnosis.patient,
        mizaj=diagnosis.patient.mizaj_type,
        rating=report.rating,
        symptom_improvement=report.symptom_improvement,
        compliance=report.compliance,
        comment=report.comment,
        client_id=report.client_id or new_id(),
        created_at=report.at or timezone.now(),
    )


def _effects(feedback: Feedback) -> dict[SideEffect, int]:
    return {report.effect: report.severity for report in feedback.side_effects.all()}


def _said(feedback: Feedback, name: str) -> Any:
    return _effects(feedback) if name == "side_effects" else getattr(feedback, name)


def _sums(feedback: Feedback) -> rollups.Sums:
    return rollups.Sums.of(feedback, list(_effects(feedback).values()))


def _count_in(news: News) -> None:
    _report_effects(news)
    rollups.count_in({feedback: rollups.Sums.of(feedback, effects.values()) for feedback, effects in news.items()})
    for feedback in news:
        transaction.on_commit(feedback_submissions.labels(str(feedback.rating)).inc, robust=True)


def _report_effects(news: News) -> None:
    rows = [
        SideEffectReport(feedback=feedback, effect=effect, severity=severity)
        for feedback, effects in news.items()
        for effect, severity in effects.items()
    ]
    if rows:
        SideEffectReport.objects.bulk_create(rows, batch_size=BATCH)


def _tell(diagnosis: Diagnosis, action: Action, news: News) -> None:
    """Brings the scores of the recommendations concerned up to date and puts all facts into the stream."""
    rescored = rescore(diagnosis, {feedback.recommendation_id: feedback.recommendation for feedback in news}.values())
    findings = {one.recommendation.pk: one.finding for one in rescored}
    publish(
        diagnosis,
        *(_feedback_update(action, f, findings[f.recommendation_id], effects) for f, effects in news.items()),
        *(one.update for one in rescored),
        *_flag(action, news),
    )


def _flag(action: Action, news: News) -> list[SevereSideEffect]:
    """Raises a flag for each report that names a severe side effect, and takes back one nobody has looked at yet.

    What is older than CHANGE_DAYS, as in an import, calls for nobody any more.
    """
    since = timezone.now() - timedelta(days=CHANGE_DAYS)
    standing = {feedback for feedback in news if not feedback.is_withdrawn and feedback.created_at >= since}
    severe = {feedback for feedback in standing if _severest(news[feedback])}
    known = () if action == "created" else tuple(SevereFlag.objects.filter(feedback__in=news))  # what is new has none
    flags = {flag.feedback_id: flag for flag in known}
    raised = [feedback for feedback in news if feedback in severe and feedback.pk not in flags]
    if raised:
        SevereFlag.objects.bulk_create(SevereFlag(feedback=f, raised_at=f.updated_at) for f in raised)
    taken_back = [f for f in news if f not in severe and f.pk in flags and flags[f.pk].looked_at is None]
    if taken_back:
        SevereFlag.objects.filter(feedback__in=taken_back).delete()
    return [
        *(_severe("raised", feedback, news[feedback]) for feedback in raised),
        *(_severe("taken_back", feedback, news[feedback]) for feedback in taken_back),
    ]


def _severest(effects: Effects) -> list[str]:
    return [effect.slug for effect, severity in effects.items() if severity >= SEVERE]


def _severe(
    action: Literal["raised", "looked_at", "taken_back"], feedback: Feedback, effects: Effects
) -> SevereSideEffect:
    return SevereSideEffect(
        action=action,
        feedback_id=feedback.pk,
        recommendation_id=feedback.recommendation_id,
        side_effects=_severest(effects),
    )


def _feedback_update(action: Action, feedback: Feedback, finding: Finding, effects: Effects) -> FeedbackUpdate:
    return FeedbackUpdate(
        action=action,
        feedback_id=feedback.pk,
        recommendation_id=feedback.recommendation_id,
        rating=feedback.rating,
        symptom_improvement=feedback.symptom_improvement,
        average_rating=finding.average_rating,
        sample_size=finding.estimate.sample_size,
        side_effects=[effect.slug for effect in effects],
    )
