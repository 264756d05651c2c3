"""One diagnosis in one process: who watches it here, and how far it has been read."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol
from uuid import UUID

from avicenna.metrics import realtime_delivery, realtime_replays, realtime_resets, websocket_messages
from realtime.events import Frame
from realtime.offload import offloaded
from realtime.outbox import Parcel
from realtime.publish import KEPT_EVENTS
from realtime.replay import news_after, replay

logger = logging.getLogger(__name__)

RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
REPLAY_ATTEMPTS = 3
# What a topic remembers for those who come back; a diagnosis nobody writes to remembers little.
REMEMBERED_BYTES = 32 * 1024

read_replay = offloaded(replay)
read_news = offloaded(news_after)


class Watcher(Protocol):
    """A socket as a topic sees it."""

    def hand(self, parcel: Parcel) -> None: ...


class Topic:
    """Every live watcher has been handed everything up to `position`, and nothing beyond.

    `members` are the watchers that are joining or live; the last one to leave closes the topic. `settle` is awaited
    with the newest change of rights before events are handed over.
    """

    def __init__(self, diagnosis_id: UUID, settle: Callable[[int], Awaitable[None]]) -> None:
        self.diagnosis_id = diagnosis_id
        self.members: set[Watcher] = set()
        self.position: int | None = None  # None until the first watcher has joined
        self._settle = settle
        self._live: set[Watcher] = set()
        self._recent: deque[Parcel] = deque(maxlen=KEPT_EVENTS)
        self._recent_bytes = 0
        self._told = 0  # the newest head anybody spoke of
        self._committed: dict[int, float] = {}  # head → time of its commit, of hints not yet served
        self._lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._pump = asyncio.create_task(self._deliver_forever())

    def wake(self, head: int, committed: float | None = None) -> None:
        """There is news up to `head`: an old hint is nothing. `committed` is the time of its commit."""
        if self.position is None or head > self.position:
            self._told = max(self._told, head)
            if committed is not None:
                self._committed[head] = committed
            self._news.set()

    def has_missed(self, head: int) -> bool:
        """There is news up to `head` and no hint of it has come."""
        return self.position is not None and head > self.position and not (self._news.is_set() or self._lock.locked())

    async def join(self, watcher: Watcher, since: int) -> None:
        """Hands over what was missed and goes live; the lock keeps new events out until it is done.

        Raises `Diagnosis.DoesNotExist`.
        """
        async with self._lock:
            if self.position is not None and since > self.position:
                await self._catch_up()  # the client may have been told by a process that is ahead of this one
            remembered = self._remembered(since)
            parcels = await self._replayed(since) if remembered is None else remembered
            if parcels:
                realtime_replays.labels("database" if remembered is None else "memory").inc()
            for parcel in parcels:
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
        for _ in range(REPLAY_ATTEMPTS):
            missed = await read_replay(self.diagnosis_id, since)
            await self._settle(missed.rights)
            if self.position is None:
                self.position = missed.head
            if self.position < missed.head:
                self._told = max(self._told, missed.head)
                await self._catch_up()
            later = [parcel for parcel in self._recent if parcel.seq > missed.head]
            if len(later) == self.position - missed.head:  # nothing between what was read and what comes next
                break
        else:
            raise RuntimeError("The stream moved on faster than it could be read.")
        parcels = [Parcel.of(frame) for frame in missed.frames]
        if missed.is_reset:
            realtime_resets.inc()
        elif not later and len(parcels) > len(self._recent):
            self._forget()
            for parcel in parcels:
                self._remember(parcel)
        return parcels + later

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
        told = self._told
        frames, rights = await read_news(self.diagnosis_id, self.position)
        if (frames[0].seq if frames else told + 1) > self.position + 1:  # what comes next is no longer kept
            await self._start_over()
            return
        if frames:
            await self._settle(rights)
        self._deliver(Parcel.of(frame) for frame in frames)
        self._observe(frames)

    async def _start_over(self) -> None:
        """This process was cut off for so long that what its watchers miss is no longer kept."""
        missed = await read_replay(self.diagnosis_id, self.position or 0)
        await self._settle(missed.rights)
        for parcel in map(Parcel.of, missed.frames):
            for watcher in tuple(self._live):
                watcher.hand(parcel)
        realtime_resets.inc(len(self._live))
        self._forget()
        self.position = self._told = missed.head

    def _observe(self, frames: Iterable[Frame]) -> None:
        """How long each event took from its commit; its writing stands for that when its hint was lost."""
        now = time.time()
        for frame in frames:
            hinted = [at for head, at in self._committed.items() if head >= frame.seq]
            realtime_delivery.observe(max(0.0, now - min(hinted, default=frame.timestamp.timestamp())))
        self._committed = {head: at for head, at in self._committed.items() if head > (self.position or 0)}

    def _deliver(self, parcels: Iterable[Parcel]) -> None:
        for parcel in parcels:
            if self.position is not None and parcel.seq <= self.position:
                continue
            for watcher in tuple(self._live):
                watcher.hand(parcel)
            self.position = parcel.seq
            self._remember(parcel)
            websocket_messages.labels(parcel.type).inc(len(self._live))

    def _forget(self) -> None:
        self._recent.clear()
        self._recent_bytes = 0

    def _remember(self, parcel: Parcel) -> None:
        if len(self._recent) == KEPT_EVENTS:
            self._recent_bytes -= self._recent.popleft().size
        self._recent.append(parcel)
        self._recent_bytes += parcel.size
        while self._recent_bytes > REMEMBERED_BYTES:
            self._recent_bytes -= self._recent.popleft().size
