"""One process's share of the stream: each watched diagnosis is joined and read once, for all its sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from avicenna.metrics import realtime_delivery, websocket_connections
from diagnoses.models import Diagnosis
from realtime.events import Frame
from realtime.publish import group_of, lend_loop
from realtime.replay import Replay, events_after, replay

logger = logging.getLogger(__name__)

HEADS_CHECK_SECONDS = 15.0
RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)

read_replay: Callable[[UUID, int], Awaitable[Replay]] = database_sync_to_async(replay)
read_events: Callable[[UUID, int], Awaitable[list[Frame]]] = database_sync_to_async(events_after)


def _heads(diagnosis_ids: list[UUID]) -> dict[UUID, int]:
    return dict(Diagnosis.objects.filter(pk__in=diagnosis_ids).values_list("pk", "head"))


read_heads: Callable[[list[UUID]], Awaitable[dict[UUID, int]]] = database_sync_to_async(_heads)


class Watcher(Protocol):
    """A socket as the hub sees it. `position` is the newest number it was handed."""

    position: int

    def hand(self, frame: Frame, text: str) -> None: ...


class Topic:
    """One diagnosis: who watches it here, and how far it has been read."""

    def __init__(self, diagnosis_id: UUID) -> None:
        self.diagnosis_id = diagnosis_id
        self.position = 0
        self.members: set[Watcher] = set()  # joining or live; the last one to leave closes the topic
        self.watchers: set[Watcher] = set()  # live
        self.lock = asyncio.Lock()
        self._news = asyncio.Event()
        self._pump = asyncio.create_task(self._deliver_forever())

    def wake(self) -> None:
        self._news.set()

    def close(self) -> None:
        self._pump.cancel()

    async def add(self, watcher: Watcher, since: int) -> None:
        """Replays and goes live without a gap: new events are read under the same lock."""
        async with self.lock:
            missed = await read_replay(self.diagnosis_id, since)
            for frame in missed.frames:
                watcher.hand(frame, frame.model_dump_json())
            watcher.position = missed.head
            if not self.watchers:
                self.position = missed.head
            self.watchers.add(watcher)
            if missed.head > self.position:  # the others have yet to read what this one was just handed
                self.wake()

    async def _deliver_forever(self) -> None:
        failures = 0
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                async with self.lock:
                    self._deliver(await read_events(self.diagnosis_id, self.position))
                failures = 0
            except Exception:  # any driver error: the sockets stay open and catch up when the database answers
                delay = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                logger.warning("reading events failed, trying again in %.1f s", delay, exc_info=failures == 0)
                failures += 1
                await asyncio.sleep(delay)
                self._news.set()

    def _deliver(self, frames: list[Frame]) -> None:
        for frame in frames:
            text = frame.model_dump_json()
            for watcher in tuple(self.watchers):
                if frame.seq > watcher.position:
                    watcher.hand(frame, text)
                    watcher.position = frame.seq
            self.position = frame.seq
            realtime_delivery.observe(max(0.0, (timezone.now() - frame.timestamp).total_seconds()))


class Hub:
    """The topics of one event loop, one channel for all of them."""

    def __init__(self) -> None:
        self._layer = get_channel_layer()
        self._topics: dict[UUID, Topic] = {}
        self._membership = asyncio.Lock()
        self._channel = ""
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, watcher: Watcher, diagnosis_id: UUID, since: int) -> None:
        """Joins the group before it replays, so that nothing falls between. Raises `Diagnosis.DoesNotExist`."""
        async with self._membership:
            if not self._tasks:
                await self._start()
            topic = self._topics.get(diagnosis_id)
            if topic is None:
                topic = self._topics[diagnosis_id] = Topic(diagnosis_id)
                await self._subscribe(diagnosis_id)
            topic.members.add(watcher)
            websocket_connections.labels(str(diagnosis_id)).set(len(topic.members))
        await topic.add(watcher, since)

    async def leave(self, watcher: Watcher, diagnosis_id: UUID) -> None:
        """Leaves the group with the last socket."""
        async with self._membership:
            topic = self._topics.get(diagnosis_id)
            if topic is None or watcher not in topic.members:
                return
            topic.members.discard(watcher)
            topic.watchers.discard(watcher)
            if topic.members:
                websocket_connections.labels(str(diagnosis_id)).set(len(topic.members))
                return
            del self._topics[diagnosis_id]
            topic.close()
            await self._unsubscribe(diagnosis_id)
            websocket_connections.remove(str(diagnosis_id))

    async def _start(self) -> None:
        lend_loop(asyncio.get_running_loop())
        self._channel = await self._layer.new_channel()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._check_heads())]

    async def _subscribe(self, diagnosis_id: UUID) -> None:
        try:
            await self._layer.group_add(group_of(diagnosis_id), self._channel)
        except Exception:  # without Redis the heads check still brings every event, later
            logger.warning("joining a group failed; events arrive by the heads check", exc_info=True)

    async def _unsubscribe(self, diagnosis_id: UUID) -> None:
        try:
            await self._layer.group_discard(group_of(diagnosis_id), self._channel)
        except Exception:  # a stale membership costs a hint that nobody needs
            logger.warning("leaving a group failed", exc_info=True)

    async def _listen(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception:
                logger.warning("listening for hints failed", exc_info=True)
                await asyncio.sleep(RETRY_SECONDS[2])
                continue
            topic = self._topics.get(UUID(message["diagnosis"]))
            if topic and message["head"] > topic.position:
                topic.wake()

    async def _check_heads(self) -> None:
        """A lost hint costs at most HEADS_CHECK_SECONDS."""
        while True:
            await asyncio.sleep(HEADS_CHECK_SECONDS)
            try:
                heads = await read_heads(list(self._topics))
            except Exception:
                logger.warning("the heads check failed", exc_info=True)
                continue
            for diagnosis_id, head in heads.items():
                topic = self._topics.get(diagnosis_id)
                if topic and head > topic.position:
                    topic.wake()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
