"""A report is written while its diagnosis is held: its number, the scores and the stream hang on it."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from avicenna.prepared import Parameter, Prepared
from diagnoses.errors import RecordClosed
from diagnoses.models import Diagnosis, Recommendation
from feedback.errors import ConsentWithdrawn, DiagnosisInError, UnknownRecommendation


def locked_diagnosis(diagnosis_id: UUID) -> Diagnosis:
    return Diagnosis.objects.select_for_update(of=("self",)).select_related("patient").get(pk=diagnosis_id)


def open_diagnosis(diagnosis_id: UUID) -> Diagnosis:
    """Reports on one diagnosis wait for each other: their numbers hang on it."""
    return _open(locked_diagnosis(diagnosis_id), RecordClosed())


def _open(diagnosis: Diagnosis, closed: RecordClosed) -> Diagnosis:
    if diagnosis.status == Diagnosis.Status.ENTERED_IN_ERROR:
        raise DiagnosisInError
    if not diagnosis.takes_events:
        raise closed
    return diagnosis


def open_recommendation(actor: User | None, pk: UUID) -> Recommendation:
    found = _own_recommendation.first(pk=pk, user=actor.pk) if actor else _any_recommendation.first(pk=pk)
    if found is None:
        raise UnknownRecommendation(field="recommendation")
    _open(found.diagnosis, ConsentWithdrawn() if actor else RecordClosed())
    return found


def _locking() -> QuerySet[Recommendation]:
    """A recommendation with all that a report on it needs, and the lock of its diagnosis."""
    wanted = ["diagnosis__head", "diagnosis__status", "diagnosis__takes_events", "diagnosis__is_counted"]
    wanted += ["diagnosis__condition_id", "diagnosis__patient__mizaj_type"]
    wanted += ["remedy__slug", "remedy__name_en", "remedy__name_fa", "effectiveness_score"]
    wanted += ["diagnosis__patient__key__secret"]  # seals the comment and the events
    found = Recommendation.objects.filter(pk=Parameter("pk", Recommendation._meta.get_field("id"))).only(*wanted)
    return found.select_related("remedy", "diagnosis__patient__key").select_for_update(of=("diagnosis",))


_any_recommendation = Prepared(_locking)
_own_recommendation = Prepared(
    lambda: _locking().filter(diagnosis__patient__user=Parameter("user", User._meta.get_field("id")))
)
