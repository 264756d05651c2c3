"""The only place that writes feedback: the report, its rollups, the head and the events stand or fall together.

`actor` is who reports: the patient. None is the operator at the command line (an import, the demonstration clinic).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from accounts.models import User
from analytics import evidence, rollups
from analytics.subjects import chain_of_recommendation
from avicenna.errors import ActionError, Forbidden
from avicenna.identifiers import new_id
from avicenna.metrics import feedback_submissions
from diagnoses.models import Diagnosis, Recommendation, SideEffect
from feedback.models import Feedback, SideEffectReport
from realtime.events import EffectivenessUpdate, FeedbackUpdate
from realtime.publish import publish

CHANGE_DAYS = 30

Effects = Mapping[SideEffect, int]


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


@transaction.atomic
def submit(
    *,
    actor: User | None,
    recommendation: Recommendation,
    rating: int,
    symptom_improvement: int,
    compliance: int | None = None,
    comment: str = "",
    side_effects: Effects | None = None,
    client_id: UUID | None = None,
    at: datetime | None = None,
) -> tuple[Feedback, bool]:
    """Stores a report once per `client_id` and returns it, and whether it is new.

    `side_effects` maps effects to severities 1-5; `at` is for what was reported before (an import).
    """
    diagnosis = _lock(recommendation.diagnosis_id)
    if actor and diagnosis.patient.user_id != actor.pk:
        raise Forbidden
    if client_id and (sent_before := _sent_before(diagnosis, client_id)):
        return sent_before, False
    feedback = _insert(
        diagnosis,
        recommendation,
        rating=rating,
        symptom_improvement=symptom_improvement,
        compliance=compliance,
        comment=comment,
        client_id=client_id or new_id(),
        created_at=at or timezone.now(),
    )
    severities = _report_effects(feedback, side_effects or {})
    rollups.count_in(feedback, rollups.Sums.of(feedback, severities))
    _tell(diagnosis, feedback, "created", list(side_effects or {}))
    transaction.on_commit(lambda: feedback_submissions.labels(str(rating)).inc(), robust=True)
    return feedback, True


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
        _report_effects(feedback, changes["side_effects"])
    feedback = Feedback.objects.for_list().get(pk=feedback.pk)
    rollups.adjust(feedback, before, _sums(feedback))
    _tell(diagnosis, feedback, "changed", list(_effects(feedback)))
    return feedback


@transaction.atomic
def withdraw(*, actor: User | None, feedback: Feedback) -> Feedback:
    """Takes a report back: it stays in the record, marked, and leaves every figure."""
    diagnosis, feedback = _own(actor, feedback)
    rollups.count_out(feedback, _sums(feedback))
    feedback.withdrawn_at = timezone.now()
    feedback.save(update_fields=["withdrawn_at", "updated_at"])
    _tell(diagnosis, feedback, "withdrawn", list(_effects(feedback)))
    return feedback


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


def _insert(diagnosis: Diagnosis, recommendation: Recommendation, **fields: Any) -> Feedback:
    feedback = Feedback(
        recommendation=recommendation,
        diagnosis=diagnosis,
        patient=diagnosis.patient,
        mizaj=diagnosis.patient.mizaj_type,
        **fields,
    )
    feedback.save(force_insert=True)
    return feedback


def _effects(feedback: Feedback) -> dict[SideEffect, int]:
    return {report.effect: report.severity for report in feedback.side_effects.all()}


def _said(feedback: Feedback, name: str) -> Any:
    return _effects(feedback) if name == "side_effects" else getattr(feedback, name)


def _sums(feedback: Feedback) -> rollups.Sums:
    return rollups.Sums.of(feedback, list(_effects(feedback).values()))


def _report_effects(feedback: Feedback, effects: Effects) -> list[int]:
    if effects:
        SideEffectReport.objects.bulk_create(
            SideEffectReport(feedback=feedback, effect=effect, severity=severity)
            for effect, severity in effects.items()
        )
    return list(effects.values())


def _tell(
    diagnosis: Diagnosis,
    feedback: Feedback,
    action: Literal["created", "changed", "withdrawn"],
    effects: Sequence[SideEffect],
) -> None:
    """Brings the recommendation's score up to date and puts both facts into the stream."""
    recommendation = feedback.recommendation
    chain = chain_of_recommendation(recommendation.pk, recommendation.remedy_id, diagnosis.condition_id)
    finding = evidence.find(chain, evidence.collect(chain))
    previous = recommendation.effectiveness_score
    recommendation.effectiveness_score = finding.estimate.score
    recommendation.confidence = finding.estimate.confidence
    recommendation.save(update_fields=["effectiveness_score", "confidence", "updated_at"])
    publish(
        diagnosis,
        FeedbackUpdate(
            action=action,
            feedback_id=feedback.pk,
            recommendation_id=recommendation.pk,
            rating=feedback.rating,
            symptom_improvement=feedback.symptom_improvement,
            average_rating=finding.average_rating,
            sample_size=finding.estimate.sample_size,
            side_effects=[effect.slug for effect in effects],
        ),
        EffectivenessUpdate(
            recommendation_id=recommendation.pk,
            remedy=recommendation.remedy.slug,
            effectiveness_score=finding.estimate.score,
            previous_score=previous,
            confidence=finding.estimate.confidence,
            interval=finding.estimate.interval,
            sample_size=finding.estimate.sample_size,
            trend=finding.trend,
        ),
    )
