"""What a client missed: each event after its position, or one reset. Never a part that looks whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from diagnoses.snapshot import take_snapshot
from realtime import lookups
from realtime.events import Frame, Reset
from realtime.models import DiagnosisEvent, RightsClock
from realtime.publish import KEPT_EVENTS


@dataclass(frozen=True)
class Replay:
    """Frames to hand over, and the position of a client that has them.

    `rights` is the newest change of rights that was there to see when they were read.
    """

    frames: list[Frame]
    head: int
    rights: int
    is_reset: bool = False


def replay(diagnosis_id: UUID, since: int) -> Replay:
    """Raises `Diagnosis.DoesNotExist`."""
    head = lookups.head_of(diagnosis_id)
    if since > head or since < head - KEPT_EVENTS:
        return reset(diagnosis_id)
    frames = events_after(diagnosis_id, since)
    if (frames[0].seq if frames else head + 1) != since + 1:  # pruned between the two queries
        return reset(diagnosis_id)
    return Replay(frames, head=frames[-1].seq if frames else head, rights=RightsClock.newest())


def events_after(diagnosis_id: UUID, since: int) -> list[Frame]:
    return [frame(event) for event in lookups.events_after(diagnosis_id, since)]


def news_after(diagnosis_id: UUID, since: int) -> tuple[list[Frame], int]:
    """The events and, read with them, the number of the newest change of rights (0 without events). One query."""
    events = lookups.events_after(diagnosis_id, since)
    return [frame(event) for event in events], max((event.rights or 0 for event in events), default=0)  # type: ignore[attr-defined]  # annotated there


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
    frame = control("reset", diagnosis_id, head, body.model_dump(mode="json"))
    return Replay([frame], head=head, rights=RightsClock.newest(), is_reset=True)


def control(type: str, diagnosis_id: UUID, seq: int, data: dict[str, Any]) -> Frame:
    return Frame(type=type, diagnosis_id=diagnosis_id, seq=seq, timestamp=timezone.now(), data=data)
