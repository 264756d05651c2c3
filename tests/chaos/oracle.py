"""Compares what every client saw with what was committed.

`Ledger` writes down the committed events as they come, for only the newest of a diagnosis are kept. `judge` follows one
client's log by the rules of docs/stream.md and names every promise that was broken.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg

READ_SECONDS = 0.2

NEW_EVENTS = """
SELECT event.diagnosis_id, event.seq, event.type, event.created_at
FROM unnest(%s::uuid[], %s::int[]) AS known(diagnosis, seq)
JOIN realtime_diagnosisevent AS event ON event.diagnosis_id = known.diagnosis AND event.seq > known.seq
ORDER BY event.diagnosis_id, event.seq
"""


@dataclass(frozen=True)
class Event:
    seq: int
    type: str
    at: datetime
    arrived: float = field(default=0.0, compare=False)  # seconds since the epoch, where a client took it


@dataclass(frozen=True)
class Opened:
    """A connection began, from this number on."""

    since: int


@dataclass(frozen=True)
class Reset:
    """The server said that it cannot tell one by one; the state it sent instead includes everything up to here."""

    head: int


@dataclass(frozen=True)
class Gap:
    """An event came too early. The client did not take it, and asked again."""

    seq: int


Entry = Event | Opened | Reset | Gap


def judge(log: Iterable[Entry], committed: Mapping[int, Event], head: int) -> list[str]:
    """Every event once and in order from where the client began, or a reset that says so; up to `head`."""
    complaints: list[str] = []
    position: int | None = None
    for entry in log:
        match entry:
            case Opened(since):
                if position is not None and since != position:
                    complaints.append(f"resumed after {since} though it had {position}")
                position = since
            case Reset(stands):
                if position is not None and stands < position:
                    complaints.append(f"reset from {position} back to {stands}")
                position = stands
            case Event(seq):
                position = position or 0
                if seq <= position:
                    complaints.append(f"{seq} again or out of order, after {position}")
                    continue
                if seq > position + 1:
                    complaints.append(f"{position + 1}-{seq - 1} lost")
                if committed.get(seq) != entry:
                    complaints.append(f"{seq} is not what was committed")
                position = seq
            case Gap(seq):
                if position is not None and seq <= position + 1:
                    complaints.append(f"{seq} taken for a gap after {position}")
    if position != head:
        complaints.append(f"ends at {position}, committed up to {head}")
    return complaints


class Ledger:
    """Committed events by diagnosis and number, read from the database while they are still there."""

    def __init__(self, url: str, diagnoses: Iterable[UUID]) -> None:
        self.events: dict[UUID, dict[int, Event]] = {diagnosis: {} for diagnosis in diagnoses}
        self.heads: dict[UUID, int] = dict.fromkeys(self.events, 0)
        self.holes: list[str] = []
        self._url = url

    async def keep(self) -> None:
        """Until cancelled; a database that is down is waited for."""
        while True:
            with suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    while True:
                        await self.read(connection)
                        await asyncio.sleep(READ_SECONDS)
            await asyncio.sleep(READ_SECONDS)

    async def read_now(self) -> None:
        """Events and heads of one moment: they must agree."""
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await self.read(connection)
            ours = "SELECT id, head FROM diagnoses_diagnosis WHERE id = ANY(%s)"
            cursor = await connection.execute(ours, [list(self.heads)])
            for diagnosis, head in await cursor.fetchall():
                if head > self.heads[diagnosis]:  # the other reader may be further by now
                    self.holes.append(f"{diagnosis}: the head is {head}, the newest event {self.heads[diagnosis]}")

    async def read(self, connection: psycopg.AsyncConnection) -> None:
        known = dict(self.heads)
        cursor = await connection.execute(NEW_EVENTS, [list(known), list(known.values())])
        for diagnosis, seq, type, at in await cursor.fetchall():
            if seq <= self.heads[diagnosis]:
                continue  # read at the same time by another connection
            if seq != self.heads[diagnosis] + 1:
                self.holes.append(f"{diagnosis}: {seq} follows {self.heads[diagnosis]}")
            self.events[diagnosis][seq] = Event(seq, type, at)
            self.heads[diagnosis] = seq

    async def sent_ids(self) -> Counter[UUID]:
        """How often each `client_id` is in the database."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            cursor = await connection.execute("SELECT client_id FROM feedback_feedback")
            return Counter(row[0] for row in await cursor.fetchall())

    def types(self, diagnosis: UUID) -> Counter[str]:
        return Counter(event.type for event in self.events[diagnosis].values())
