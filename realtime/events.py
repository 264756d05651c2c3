"""Every frame of the stream, one declared class each; an unknown key is an error.

The guide (docs/stream.md) and the validation of what is stored come from these classes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from diagnoses.models import Recommendation

Probability = float


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Event(Body):
    """A numbered fact about one diagnosis: stored, replayed, sent to everyone who watches."""

    type: ClassVar[str]


class RecommendationState(Body):
    """One recommendation as everyone who may see the diagnosis sees it."""

    id: UUID
    remedy: str
    remedy_name_en: str
    remedy_name_fa: str
    kind: str
    dosage: str
    frequency: str
    duration_days: int | None
    instructions: str
    status: Literal["active", "completed", "stopped", "replaced"]
    replaces: UUID | None
    effectiveness_score: Probability | None = Field(ge=0, le=1)
    confidence: Probability | None = Field(ge=0, le=1)

    @classmethod
    def of(cls, recommendation: Recommendation) -> Self:
        remedy = recommendation.remedy
        return cls.model_validate(
            {
                "id": recommendation.pk,
                "remedy": remedy.slug,
                "remedy_name_en": remedy.name_en,
                "remedy_name_fa": remedy.name_fa,
                "kind": remedy.kind,
                "dosage": recommendation.dosage,
                "frequency": recommendation.frequency,
                "duration_days": recommendation.duration_days,
                "instructions": recommendation.instructions,
                "status": recommendation.status,
                "replaces": recommendation.replaces_id,
                "effectiveness_score": recommendation.effectiveness_score,
                "confidence": recommendation.confidence,
            }
        )


class DiagnosisUpdate(Event):
    """The diagnosis itself was recorded or changed."""

    type: ClassVar[str] = "diagnosis_update"

    action: Literal["recorded", "changed"]
    status: Literal["active", "resolved", "entered_in_error"]
    severity: int = Field(ge=1, le=5)
    imbalance: str
    changed_fields: list[str] = []


class RankedState(Body):
    """What a recommendation may be expected to do for this patient: the probability of success, and 95 % of it."""

    recommendation_id: UUID
    predicted_effectiveness: Probability = Field(ge=0, le=1)
    interval: tuple[Probability, Probability]


class RecommendationUpdate(Event):
    """A recommendation was added, changed, completed, stopped or replaced, or reports have `reranked` them all: then
    `recommendation` is the best now, `previous` the best before, if another, and `ranking` has them all."""

    type: ClassVar[str] = "recommendation_update"

    action: Literal["added", "changed", "completed", "stopped", "replaced", "reranked"]
    recommendation: RecommendationState
    previous: RecommendationState | None = None
    changed_fields: list[str] = []
    reason: str = ""
    ranking: list[RankedState] = []

    @classmethod
    def added(cls, recommendation: Recommendation) -> Self:
        return cls(action="added", recommendation=RecommendationState.of(recommendation))

    @classmethod
    def completed(cls, recommendation: Recommendation) -> Self:
        return cls(action="completed", recommendation=RecommendationState.of(recommendation), changed_fields=["status"])

    @classmethod
    def stopped(cls, recommendation: Recommendation, *, reason: str) -> Self:
        return cls(
            action="stopped",
            recommendation=RecommendationState.of(recommendation),
            changed_fields=["status"],
            reason=reason,
        )


class EffectivenessUpdate(Event):
    """What is known about a recommendation's effect after the newest report."""

    type: ClassVar[str] = "effectiveness_update"

    recommendation_id: UUID
    remedy: str
    effectiveness_score: Probability = Field(ge=0, le=1)
    previous_score: Probability | None = Field(ge=0, le=1)
    confidence: Probability = Field(ge=0, le=1)
    interval: tuple[Probability, Probability]
    sample_size: int = Field(ge=0)
    trend: Literal["improving", "declining", "stable", "new"]


class FeedbackUpdate(Event):
    """A report arrived, changed or was withdrawn. Never its comment."""

    type: ClassVar[str] = "feedback_update"

    action: Literal["created", "changed", "withdrawn"]
    feedback_id: UUID
    recommendation_id: UUID
    rating: int = Field(ge=1, le=5)
    symptom_improvement: int = Field(ge=1, le=5)
    average_rating: float | None = Field(ge=1, le=5)
    sample_size: int = Field(ge=0)
    side_effects: list[str]


class SevereSideEffect(Event):
    """A report names a side effect of severity 4 or 5 (`raised`), somebody looked at it, or it was taken back."""

    type: ClassVar[str] = "severe_side_effect"

    action: Literal["raised", "looked_at", "taken_back"]
    feedback_id: UUID
    recommendation_id: UUID
    side_effects: list[str]


EVENTS: dict[str, type[Event]] = {
    event.type: event
    for event in (DiagnosisUpdate, RecommendationUpdate, EffectivenessUpdate, FeedbackUpdate, SevereSideEffect)
}


class Connect(Body):
    """The first frame: where the stream stands and how often to send a ping."""

    head: int
    heartbeat_seconds: int


class Reset(Body):
    """What was missed is no longer kept: start over from this state."""

    head: int
    snapshot: dict[str, Any]


class TokenExpiring(Body):
    """The access token expires in so many seconds; 25 seconds after that the socket is closed. Send `refresh`."""

    seconds: int = Field(ge=0)


class Pong(Body):
    """The answer to `ping` and `refresh`: the newest event that was sent to you."""

    head: int


class ErrorFrame(Body):
    """Why the socket is closed next, in the language of `Accept-Language`."""

    code: str
    message: str
    close_code: int | None = None


FRAMES: dict[str, type[Body]] = {
    "connect": Connect,
    "reset": Reset,
    "token_expiring": TokenExpiring,
    "pong": Pong,
    "error": ErrorFrame,
}


class Ping(Body):
    """Are you there? At least every `heartbeat_seconds`."""

    type: Literal["ping"]


class Ack(Body):
    """The person has what came up to this number; kept by user and device, for the clinic to see."""

    type: Literal["ack"]
    seq: int = Field(ge=0)


class Refresh(Body):
    """A new access token of the same session, so that the socket need not be opened anew."""

    type: Literal["refresh"]
    token: str = Field(max_length=4096)


CLIENT_FRAMES: dict[str, type[Body]] = {"ping": Ping, "ack": Ack, "refresh": Refresh}


class Frame(BaseModel):
    """What travels over the socket and what `/events/` lists."""

    model_config = ConfigDict(extra="forbid")

    type: str
    diagnosis_id: UUID
    seq: int
    timestamp: datetime
    data: dict[str, Any]
