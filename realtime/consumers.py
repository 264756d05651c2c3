"""One socket on one diagnosis."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import override
from pydantic import ValidationError

from avicenna.metrics import realtime_slow_consumers, websocket_messages
from diagnoses.models import Diagnosis
from realtime.admission import (
    BAD_MESSAGE,
    NOT_ALLOWED,
    TOO_LARGE,
    TOO_MANY,
    TOO_SLOW,
    Handshake,
    Refused,
    admit,
    language,
    origin_is_ours,
)
from realtime.events import CLIENT_FRAMES, Body, Connect, ErrorFrame, Ping, Pong
from realtime.hub import current_hub
from realtime.outbox import Outbox, Parcel, Send
from realtime.replay import control

HEARTBEAT_SECONDS = 25
MAX_FRAME_BYTES = 64 * 1024
MAX_FRAMES_A_MINUTE = 100
LAST_WORDS_SECONDS = 2.0

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def diagnosis_stream(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application behind `/ws/diagnoses/{id}/`."""
    await receive()  # websocket.connect
    if not origin_is_ours(scope):
        await send({"type": "websocket.close"})  # before accept: a plain 403 for somebody else's page
        return
    await send({"type": "websocket.accept"})
    await DiagnosisSocket(scope["url_route"]["kwargs"]["diagnosis_id"], receive, send).serve(scope)


class DiagnosisSocket:
    """Admits the client, joins the hub and answers its frames until either side leaves."""

    def __init__(self, diagnosis_id: UUID, receive: Receive, send: Send) -> None:
        self.diagnosis_id = diagnosis_id
        self.head = 0
        self._receive = receive
        self._outbox = Outbox(send)
        self._task: asyncio.Task[None] | None = None
        self._language = "en"
        self._minute = 0.0
        self._frames_this_minute = 0

    async def serve(self, scope: dict[str, Any]) -> None:
        self._task = asyncio.current_task()
        self._language = language(scope)
        try:
            await self._join(Handshake.of(scope, self.diagnosis_id))
            await self._listen()
        except Refused as refusal:
            self._refuse(refusal)
        except asyncio.CancelledError:
            if not self._outbox.overflowed:
                raise
            self._outbox.close(TOO_SLOW)
        finally:
            await current_hub().leave(self, self.diagnosis_id)
            await self._outbox.finish(LAST_WORDS_SECONDS)

    def hand(self, parcel: Parcel) -> None:
        self.head = max(self.head, parcel.seq)
        if not self._outbox.put(parcel) and self._outbox.overflowed and self._task is not None:
            realtime_slow_consumers.inc()
            self._task.cancel()  # it may be waiting for a client that never speaks
            self._task = None

    async def _join(self, handshake: Handshake) -> None:
        await admit(handshake)
        self.head = await _head(self.diagnosis_id)
        self._say("connect", Connect(head=self.head, heartbeat_seconds=HEARTBEAT_SECONDS))
        try:
            await current_hub().join(self, self.diagnosis_id, handshake.since)
        except Diagnosis.DoesNotExist as error:
            raise Refused(NOT_ALLOWED, "not_allowed") from error

    async def _listen(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            self._count_frame()
            if isinstance(_parse(message), Ping):
                self._say("pong", Pong(head=self.head))

    def _count_frame(self) -> None:
        now = time.monotonic()
        if now - self._minute >= 60:
            self._minute, self._frames_this_minute = now, 0
        self._frames_this_minute += 1
        if self._frames_this_minute > MAX_FRAMES_A_MINUTE:
            raise Refused(TOO_MANY, "too_many_requests")

    def _say(self, type: str, body: Body) -> None:
        websocket_messages.labels(type).inc()
        self.hand(self._parcel(type, body))

    def _parcel(self, type: str, body: Body) -> Parcel:
        return Parcel.of(control(type, self.diagnosis_id, self.head, body.model_dump(mode="json")))

    def _refuse(self, refusal: Refused) -> None:
        with override(self._language):
            body = ErrorFrame(code=refusal.code, message=_reason(refusal.code), close_code=refusal.close_code)
        self._outbox.close(refusal.close_code, last=self._parcel("error", body))


def _parse(message: dict[str, Any]) -> Body:
    """The client's frame. Raises `Refused` for anything that is none."""
    text = message.get("text")
    if len(text or message.get("bytes") or b"") > MAX_FRAME_BYTES:
        raise Refused(TOO_LARGE, "too_large")
    try:
        given = json.loads(text or "")
        return CLIENT_FRAMES[given["type"]].model_validate(given)
    except (TypeError, KeyError, ValueError, RecursionError, ValidationError) as error:
        raise Refused(BAD_MESSAGE, "malformed") from error


def _reason(code: str) -> str:
    return {
        "not_authenticated": _("Your session has ended. Please sign in again."),
        "not_allowed": _("There is nothing here."),
        "too_large": _("The request is too large."),
        "too_many_requests": _("Too many requests."),
        "token_in_query": _("An access token does not belong into the address; ask for a ticket."),
    }.get(code, _("The request cannot be understood."))


async def _head(diagnosis_id: UUID) -> int:
    """0 when the diagnosis is gone: joining says so."""
    head = await Diagnosis.objects.filter(pk=diagnosis_id).values_list("head", flat=True).afirst()
    return head or 0
