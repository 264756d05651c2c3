"""What a client missed: each event after its position, or one reset. Never a part that looks whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from diagnoses.models import Diagnosis
from diagnoses.snapshot import take_snapshot
from realtime.events import Frame, Reset
from realtime.models import DiagnosisEvent
from realtime.publish import KEPT_EVENTS


@dataclass(frozen=True)
class Replay:
    """Frames to hand over, and the position of a client that has them."""

    frames: list[Frame]
    head: int
    is_reset: bool = False


def replay(diagnosis_id: UUID, since: int) -> Replay:
    """Raises `Diagnosis.DoesNotExist`."""
    head = Diagnosis.objects.values_list("head", flat=True).get(pk=diagnosis_id)
    if since > head or since < head - KEPT_EVENTS:
        return reset(diagnosis_id)
    frames = events_after(diagnosis_id, since)
    if len(frames) < head - since:  # pruned between the two queries
        return reset(diagnosis_id)
    return Replay(frames, head=frames[-1].seq if frames else head)


def events_after(diagnosis_id: UUID, since: int) -> list[Frame]:
    events = DiagnosisEvent.objects.filter(diagnosis_id=diagnosis_id, seq__gt=since).order_by("seq")
    return [frame(event) for event in events]


def frame(event: DiagnosisEvent) -> Frame:
    return Frame(
        type=event.type,
        diagnosis_id=event.diagnosis_id,
        seq=event.seq,
        timestamp=event.created_at,
        data=event.payload,
    )


def reset(diagnosis_id: UUID) -> Replay:
    head, snapshot = take_snapshot(diagnosis_id)
    body = Reset(head=head, snapshot=snapshot)
    return Replay([control("reset", diagnosis_id, head, body.model_dump(mode="json"))], head=head, is_reset=True)


def control(type: str, diagnosis_id: UUID, seq: int, data: dict[str, Any]) -> Frame:
    return Frame(type=type, diagnosis_id=diagnosis_id, seq=seq, timestamp=timezone.now(), data=data)
