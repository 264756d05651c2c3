"""One process's share of the stream: each watched diagnosis is joined and read once, for all its sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from avicenna.metrics import websocket_connections
from diagnoses.models import Diagnosis
from realtime.publish import group_of, lend_loop
from realtime.topic import Topic, Watcher

logger = logging.getLogger(__name__)

HEADS_CHECK_SECONDS = 15.0
LISTEN_AGAIN_SECONDS = 1.0


def _heads(diagnosis_ids: list[UUID]) -> dict[UUID, int]:
    return dict(Diagnosis.objects.filter(pk__in=diagnosis_ids).values_list("pk", "head"))


read_heads: Callable[[list[UUID]], Awaitable[dict[UUID, int]]] = database_sync_to_async(_heads)


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
        await topic.join(watcher, since)

    async def leave(self, watcher: Watcher, diagnosis_id: UUID) -> None:
        """Leaves the group with the last socket."""
        async with self._membership:
            topic = self._topics.get(diagnosis_id)
            if topic is None or watcher not in topic.members:
                return
            topic.leave(watcher)
            if topic.members:
                websocket_connections.labels(str(diagnosis_id)).set(len(topic.members))
                return
            del self._topics[diagnosis_id]
            topic.close()
            websocket_connections.remove(str(diagnosis_id))
            await self._unsubscribe(diagnosis_id)

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
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)
                continue
            if topic := self._topics.get(UUID(message["diagnosis"])):
                topic.wake(message["head"])

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
                if topic := self._topics.get(diagnosis_id):
                    topic.wake(head)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
