"""Everything the clinic holds about one person, piece by piece: a long record is never in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder

from accounts.models import Role, Session, User
from accounts.serializers import MeSerializer
from diagnoses.models import BrokenGlass, Consent, Contraindication, Diagnosis, Patient, Recommendation
from diagnoses.serializers import (
    BrokenGlassSerializer,
    ContraindicationSerializer,
    DiagnosisSerializer,
    PatientSerializer,
    RecommendationSerializer,
)
from feedback.models import Feedback
from feedback.serializers import FeedbackSerializer
from predictions.models import PredictionRecord

CHUNK = 500


class Record:
    """What there is about `user`, oldest first; of those without a record of their own the account alone."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.patient = Patient.objects.filter(user=user).first()

    def diagnoses(self) -> QuerySet[Diagnosis]:
        return Diagnosis.objects.filter(patient=self.patient).for_list().order_by("created_at", "pk")

    def recommendations(self) -> QuerySet[Recommendation]:
        own = Recommendation.objects.filter(diagnosis__patient=self.patient)
        return own.select_related("remedy", "diagnosis__practitioner").order_by("created_at", "pk")

    def contraindications(self) -> QuerySet[Contraindication]:
        return Contraindication.objects.filter(patient=self.patient).for_list().order_by("stated_at", "pk")

    def broken_glass(self) -> QuerySet[BrokenGlass]:
        return BrokenGlass.objects.filter(patient=self.patient).for_list().order_by("at", "pk")

    def feedback(self) -> QuerySet[Feedback]:
        return Feedback.objects.filter(patient=self.patient).for_list().order_by("created_at", "pk")

    def consents(self) -> QuerySet[Consent]:
        return Consent.objects.filter(patient=self.patient).order_by("pk")

    def predictions(self) -> QuerySet[PredictionRecord]:
        return PredictionRecord.objects.filter(patient=self.patient).order_by("pk")

    def sessions(self) -> QuerySet[Session]:
        return Session.objects.filter(user=self.user).order_by("created_at", "pk")


def as_json(user: User) -> Iterator[str]:
    """One object, in pieces."""
    record = Record(user)
    one: dict[str, Any] = {
        "exported_at": timezone.now(),
        "account": MeSerializer(user).data,
        "patient": PatientSerializer(record.patient, context={"reader": Role.PATIENT}).data if record.patient else None,
    }
    yield dumped(one)[:-1]
    for name, rows in _lists(record):
        yield f',"{name}":['
        yield from joined(rows)
        yield "]"
    yield "}"


def joined(rows: Iterable[Any]) -> Iterator[str]:
    """The rows of a list in JSON."""
    for number, row in enumerate(rows):
        yield ("," if number else "") + dumped(row)


def dumped(value: Any) -> str:
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"))


def _lists(record: Record) -> Iterator[tuple[str, Iterable[Any]]]:
    sessions = record.sessions().values("id", "device", "created_at", "ended_at")
    yield "sessions", sessions.iterator(CHUNK)
    if record.patient is None:
        return
    yield "consents", record.consents().values("purpose", "is_given", "at", "text_version", "language").iterator(CHUNK)
    yield "diagnoses", _serialized(DiagnosisSerializer, record.diagnoses())
    yield "recommendations", _serialized(RecommendationSerializer, record.recommendations())
    yield "contraindications", _serialized(ContraindicationSerializer, record.contraindications())
    yield "emergency_accesses", _serialized(BrokenGlassSerializer, record.broken_glass())
    yield "feedback", _serialized(FeedbackSerializer, record.feedback())
    shown = ("recommendation", "model_version", "predicted", "lower", "upper", "shown_at", "last_shown_at")
    yield "predictions", record.predictions().values(*shown).iterator(CHUNK)


def _serialized(serializer: Any, rows: QuerySet[Any]) -> Iterator[Any]:
    """As the API shows them to the patient."""
    own = serializer(context={"reader": Role.PATIENT})
    return (own.to_representation(row) for row in rows.iterator(CHUNK))
