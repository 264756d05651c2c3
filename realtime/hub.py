"""One process's share of the stream: each watched diagnosis is joined and read once, for all its sockets."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer
from django.conf import settings
from django.utils import timezone

from avicenna.identifiers import new_id
from avicenna.metrics import realtime_healed_gaps, websocket_connections
from diagnoses.models import Diagnosis
from realtime.actions import report_process
from realtime.deliveries import Deliveries
from realtime.offload import offloaded
from realtime.publish import RIGHTS_GROUP, group_of, lend_loop
from realtime.receipts import Receipts
from realtime.rights import Grant, Guard, Holder
from realtime.topic import Topic, Watcher

logger = logging.getLogger(__name__)

LISTEN_AGAIN_SECONDS = 1.0
REPORT_SECONDS = 3.0


class Client(Watcher, Holder, Protocol):
    """A socket as the hub sees it."""


def _heads(diagnosis_ids: list[UUID]) -> dict[UUID, int]:
    return dict(Diagnosis.objects.filter(pk__in=diagnosis_ids).values_list("pk", "head"))


read_heads = offloaded(_heads)
write_report = offloaded(report_process)


class Hub:
    """The topics of one event loop, one channel for all of them."""

    def __init__(self) -> None:
        self.guard = Guard(settings.WEBSOCKETS_PER_USER)
        self.receipts = Receipts()
        self.deliveries = Deliveries()
        self._id = new_id()
        self._started_at = timezone.now()
        self._layer = get_channel_layer()
        self._topics: dict[UUID, Topic] = {}
        self._membership = asyncio.Lock()
        self._channel = ""  # none until the layer gave one
        self._missing: set[str] = set()  # groups that could not be joined yet
        self._hears_hints = True
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, client: Client, since: int) -> None:
        """Joins the group before it replays, so that nothing falls between.

        Raises `Diagnosis.DoesNotExist`, and `Refused` for a client that lost its right meanwhile or has too many
        sockets.
        """
        self.guard.enter(client)
        topic = await self._topic(client)
        await self.guard.confirm(client)
        await topic.join(client, since)

    async def leave(self, client: Client) -> None:
        """Leaves the group with the last socket. A client that never joined may leave, too."""
        grant: Grant | None = getattr(client, "grant", None)
        if grant is None:
            return
        self.guard.leave(client)
        async with self._membership:
            topic = self._topics.get(grant.diagnosis_id)
            if topic is None or client not in topic.members:
                return
            topic.leave(client)
            self._count(topic)
            if topic.members:
                return
            del self._topics[grant.diagnosis_id]
            topic.close()
            await self._unsubscribe(group_of(grant.diagnosis_id))

    async def _topic(self, client: Client) -> Topic:
        diagnosis_id = client.grant.diagnosis_id
        async with self._membership:
            if not self._tasks:
                await self._start()
            topic = self._topics.get(diagnosis_id)
            if topic is None:
                topic = self._topics[diagnosis_id] = Topic(diagnosis_id, self.guard.settle)
                await self._subscribe(group_of(diagnosis_id))
            topic.members.add(client)
            self._count(topic)
        return topic

    def _count(self, topic: Topic) -> None:
        websocket_connections.set(str(topic.diagnosis_id), len(topic.members))

    async def _start(self) -> None:
        lend_loop(asyncio.get_running_loop())
        await self._subscribe(RIGHTS_GROUP)
        self._tasks = [
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._repeat(self.check, lambda: settings.REALTIME_HEADS_CHECK_SECONDS)),
            asyncio.create_task(self._repeat(self.receipts.flush, lambda: REPORT_SECONDS)),
            asyncio.create_task(self._repeat(self.deliveries.flush, lambda: REPORT_SECONDS)),
            asyncio.create_task(self._repeat(self._report, lambda: REPORT_SECONDS)),
        ]

    async def _subscribe(self, group: str) -> None:
        self._missing.add(group)
        try:
            await self._join_missing()
        except Exception:  # without Redis the periodic check still brings every event, later
            logger.warning("joining a group failed; it is tried again at the next check", exc_info=True)

    async def _join_missing(self) -> None:
        if not self._channel:
            self._channel = await self._layer.new_channel()
        for group in tuple(self._missing):
            await self._layer.group_add(group, self._channel)
            self._missing.discard(group)

    async def _unsubscribe(self, group: str) -> None:
        self._missing.discard(group)
        try:
            await self._layer.group_discard(group, self._channel)
        except Exception:  # a stale membership costs a hint that nobody needs
            logger.warning("leaving a group failed", exc_info=True)

    async def _listen(self) -> None:
        while True:
            if not self._channel:
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)
                continue
            try:
                message = await self._layer.receive(self._channel)
                self._hears_hints = True
                await self._heed(message)
            except Exception:  # the channel layer, or the database behind a hint: the checks make up for it
                self._hears_hints = False
                logger.warning("listening for hints failed", exc_info=True)
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    async def _heed(self, message: dict[str, Any]) -> None:
        if message["type"] == "rights":
            await self.guard.heard(message["number"], message["users"])
        elif topic := self._topics.get(UUID(message["diagnosis"])):
            topic.wake(message["head"], message["committed"])

    async def _repeat(self, work: Callable[[], Coroutine[Any, Any, None]], seconds: Callable[[], float]) -> None:
        while True:
            await asyncio.sleep(seconds())
            try:
                await work()
            except Exception:  # the database, mostly: the next round tries again
                logger.warning("a periodic check of the stream failed", exc_info=True)

    async def check(self) -> None:
        """What a lost hint costs at most: rights first, so that nothing is handed to one who lost them."""
        await self.guard.check_all()
        heads = await read_heads(list(self._topics))
        for diagnosis_id, head in heads.items():
            if topic := self._topics.get(diagnosis_id):
                if topic.has_missed(head):
                    realtime_healed_gaps.inc()
                topic.wake(head)
        async with self._membership:
            await self._join_missing()

    async def _report(self) -> None:
        """A sign of life, and what this process does."""
        websocket_connections.tell()
        await write_report(
            id=self._id,
            name=f"{socket.gethostname()}:{os.getpid()}",
            started_at=self._started_at,
            connections=len(self.guard.holders),
            diagnoses=len(self._topics),
            users=self.guard.users,
            hears_hints=self._hears_hints and not self._missing,
        )


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
