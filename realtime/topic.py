"""One diagnosis in one process: who watches it here, and how far it has been read."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol
from uuid import UUID

from channels.db import database_sync_to_async
from django.utils import timezone

from avicenna.metrics import realtime_delivery, realtime_resets, websocket_messages
from realtime.events import Frame
from realtime.outbox import Parcel
from realtime.publish import KEPT_EVENTS
from realtime.replay import Replay, events_after, replay

logger = logging.getLogger(__name__)

RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
# What a topic remembers for those who come back; a diagnosis nobody writes to remembers little.
REMEMBERED_BYTES = 32 * 1024

read_replay: Callable[[UUID, int], Awaitable[Replay]] = database_sync_to_async(replay)
read_events: Callable[[UUID, int], Awaitable[list[Frame]]] = database_sync_to_async(events_after)


class Watcher(Protocol):
    """A socket as a topic sees it."""

    def hand(self, parcel: Parcel) -> None: ...


class Topic:
    """Every live watcher has been handed everything up to `position`, and nothing beyond.

    `members` are the watchers that are joining or live; the last one to leave closes the topic.
    """

    def __init__(self, diagnosis_id: UUID) -> None:
        self.diagnosis_id = diagnosis_id
        self.members: set[Watcher] = set()
        self.position: int | None = None  # None until the first watcher has joined
        self._live: set[Watcher] = set()
        self._recent: deque[Parcel] = deque(maxlen=KEPT_EVENTS)
        self._recent_bytes = 0
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._pump = asyncio.create_task(self._deliver_forever())

    def wake(self, head: int) -> None:
        """There is news up to `head`: an old hint is nothing."""
        if self.position is None or head > self.position:
            self._news.set()

    async def join(self, watcher: Watcher, since: int) -> None:
        """Hands over what was missed and goes live; the lock keeps new events out until it is done.

        Raises `Diagnosis.DoesNotExist`.
        """
        async with self._lock:
            if self.position is not None and since > self.position:
                await self._catch_up()  # the client may have been told by a process that is ahead of this one
            for parcel in self._remembered(since) or await self._replayed(since):
                watcher.hand(parcel)
            self._live.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        self.members.discard(watcher)
        self._live.discard(watcher)

    def close(self) -> None:
        self._pump.cancel()

    def _remembered(self, since: int) -> list[Parcel] | None:
        """What followed `since`, from memory; None when that is not known for sure."""
        if self.position is None or since > self.position or since < self.position - len(self._recent):
            return None
        return [parcel for parcel in self._recent if parcel.seq > since]

    async def _replayed(self, since: int) -> list[Parcel]:
        """The same from the database. Whatever is new in it goes to the live watchers first."""
        missed = await read_replay(self.diagnosis_id, since)
        parcels = [Parcel.of(frame) for frame in missed.frames]
        if not missed.is_reset:
            if self.position is None:
                self.position = missed.head - len(parcels)
            self._deliver(parcels)
            return parcels
        realtime_resets.inc()
        if self.position is None:
            self.position = missed.head
        while self.position < missed.head:
            await self._catch_up()
        return parcels + [parcel for parcel in self._recent if parcel.seq > missed.head]

    async def _deliver_forever(self) -> None:
        failures = 0
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                async with self._lock:
                    await self._catch_up()
                failures = 0
            except Exception:  # any driver error: the sockets stay open and catch up when the database answers
                delay = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                logger.warning("reading events failed, trying again in %.1f s", delay, exc_info=failures == 0)
                failures += 1
                await asyncio.sleep(delay)
                self._news.set()

    async def _catch_up(self) -> None:
        """One query, one encoding per event, however many watch."""
        if self.position is None:
            return
        frames = await read_events(self.diagnosis_id, self.position)
        self._deliver(Parcel.of(frame) for frame in frames)
        for frame in frames:
            realtime_delivery.observe(max(0.0, (timezone.now() - frame.timestamp).total_seconds()))

    def _deliver(self, parcels: Iterable[Parcel]) -> None:
        for parcel in parcels:
            if self.position is not None and parcel.seq <= self.position:
                continue
            for watcher in tuple(self._live):
                watcher.hand(parcel)
            self.position = parcel.seq
            self._remember(parcel)
            websocket_messages.labels(parcel.type).inc(len(self._live))

    def _remember(self, parcel: Parcel) -> None:
        if len(self._recent) == KEPT_EVENTS:
            self._recent_bytes -= self._recent.popleft().size
        self._recent.append(parcel)
        self._recent_bytes += parcel.size
        while self._recent_bytes > REMEMBERED_BYTES:
            self._recent_bytes -= self._recent.popleft().size
