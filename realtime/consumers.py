"""One socket on one diagnosis."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import override
from pydantic import ValidationError

from avicenna.logging import begin_request
from avicenna.metrics import realtime_slow_consumers, websocket_messages
from diagnoses.models import Diagnosis
from realtime.admission import Handshake, admit, client_address, extend, header, language, origin_is_ours
from realtime.closing import CloseCode, Refused, not_allowed, not_signed_in
from realtime.deliveries import Watching
from realtime.events import CLIENT_FRAMES, Ack, Body, Connect, ErrorFrame, Pong, Refresh, TokenExpiring
from realtime.hub import current_hub
from realtime.limits import Window
from realtime.outbox import Outbox, Parcel
from realtime.replay import control
from realtime.rights import Grant
from realtime.wire import Send

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 25
MAX_FRAME_BYTES = 64 * 1024
MAX_FRAMES_A_MINUTE = 100
WARNING_SECONDS = 30
GRACE_SECONDS = 25
LAST_WORDS_SECONDS = 2.0

Receive = Callable[[], Awaitable[dict[str, Any]]]

handshakes = Window(settings.WEBSOCKET_HANDSHAKES_PER_MINUTE)


async def diagnosis_stream(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The ASGI application behind `/ws/diagnoses/{id}/`."""
    begin_request(header(scope, b"x-request-id"))  # the connection has a context of its own
    await receive()  # websocket.connect
    if not origin_is_ours(scope):
        await send({"type": "websocket.close"})  # before accept: a plain 403 for somebody else's page
        return
    await send({"type": "websocket.accept"})
    await DiagnosisSocket(scope["url_route"]["kwargs"]["diagnosis_id"], receive, send).serve(scope)


class DiagnosisSocket:
    """Admits the client, joins the hub and answers its frames until either side leaves."""

    __slots__ = (
        "__weakref__",
        "_frames_this_minute",
        "_language",
        "_minute",
        "_outbox",
        "_receive",
        "_sight",
        "_task",
        "_timer",
        "_watching",
        "diagnosis_id",
        "grant",
        "head",
    )

    grant: Grant

    def __init__(self, diagnosis_id: UUID, receive: Receive, send: Send) -> None:
        self.diagnosis_id = diagnosis_id
        self.head = 0
        self._receive = receive
        self._outbox = Outbox(send)
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sight: asyncio.TimerHandle | None = None
        self._watching: Watching | None = None
        self._language = "en"
        self._minute = 0.0
        self._frames_this_minute = 0

    async def serve(self, scope: dict[str, Any]) -> None:
        self._task = asyncio.current_task()
        self._language = language(scope)
        try:
            await self._join(scope)
            await self._listen()
        except Refused as refusal:
            self._refuse(refusal)
        except asyncio.CancelledError:
            if not self._outbox.closing:  # the server itself is stopping
                raise
        except Exception:  # whatever a driver raises: the client comes back when the database does
            logger.exception("a socket could not be served")
            self._refuse(Refused(CloseCode.RESTARTING, "unavailable"))
        finally:
            self._task = None
            for timer in filter(None, (self._timer, self._sight)):
                timer.cancel()
            if self._watching is not None:
                current_hub().deliveries.note(self._watching, self.head)
            await current_hub().leave(self)
            await self._outbox.finish(LAST_WORDS_SECONDS)

    def hand(self, parcel: Parcel) -> None:
        self.head = max(self.head, parcel.seq)
        if not self._outbox.put(parcel) and self._outbox.overflowed and not self._outbox.closing:
            realtime_slow_consumers.inc()
            self._outbox.close(CloseCode.TOO_SLOW)
            self._stop()

    def dismiss(self, refusal: Refused) -> None:
        """Nothing more is handed over from here on."""
        self._refuse(refusal)
        self._stop()

    def _stop(self) -> None:
        """It may be waiting for a client that never speaks.

        When its own task found out, that one sees for itself: cancelled, it would break off where it tidies up.
        """
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            self._task = None

    async def _join(self, scope: dict[str, Any]) -> None:
        if not handshakes.allows(client_address(scope)):
            raise Refused(CloseCode.TOO_MANY, "too_many_requests")
        handshake = Handshake.of(scope, self.diagnosis_id)
        self.grant, self._watching = await admit(handshake)
        self.head = self._watching.head
        self._await_expiry()
        self._await_end_of_sight()
        self._say("connect", Connect(head=self.head, heartbeat_seconds=HEARTBEAT_SECONDS))
        try:
            await current_hub().join(self, handshake.since)
        except Diagnosis.DoesNotExist as error:
            raise not_allowed() from error

    async def _listen(self) -> None:
        while not self._outbox.closing:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            self._count_frame()
            await self._answer(_parse(message))

    async def _answer(self, frame: Body) -> None:
        if isinstance(frame, Ack):
            current_hub().receipts.note(self.grant, min(frame.seq, self.head))
            return
        if isinstance(frame, Refresh):
            self.grant = await extend(self.grant, frame.token)
            await current_hub().guard.confirm(self)
            self._await_expiry()
        self._say("pong", Pong(head=self.head))

    def _await_expiry(self) -> None:
        """Warns before the access token expires, and ends the socket when it was not renewed in time."""
        if self._timer is not None:
            self._timer.cancel()
        remaining = (self.grant.access_until - timezone.now()).total_seconds()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, remaining - WARNING_SECONDS), self._warn)

    def _await_end_of_sight(self) -> None:
        """What was opened in an emergency closes by itself."""
        if self.grant.seen_until is not None:
            remaining = (self.grant.seen_until - timezone.now()).total_seconds()
            self._sight = asyncio.get_running_loop().call_later(max(0.0, remaining), self.dismiss, not_allowed())

    def _warn(self) -> None:
        remaining = (self.grant.access_until - timezone.now()).total_seconds()
        self._say("token_expiring", TokenExpiring(seconds=max(0, round(remaining))))
        self._timer = asyncio.get_running_loop().call_later(
            min(WARNING_SECONDS, max(0.0, remaining)) + GRACE_SECONDS, self.dismiss, not_signed_in()
        )

    def _count_frame(self) -> None:
        now = time.monotonic()
        if now - self._minute >= 60:
            self._minute, self._frames_this_minute = now, 0
        self._frames_this_minute += 1
        if self._frames_this_minute > MAX_FRAMES_A_MINUTE:
            raise Refused(CloseCode.TOO_MANY, "too_many_requests")

    def _say(self, type: str, body: Body) -> None:
        websocket_messages.labels(type).inc()
        self.hand(self._parcel(type, body))

    def _parcel(self, type: str, body: Body) -> Parcel:
        return Parcel.of(control(type, self.diagnosis_id, self.head, body.model_dump(mode="json")))

    def _refuse(self, refusal: Refused) -> None:
        with override(self._language):
            body = ErrorFrame(code=refusal.code, message=refusal.message, close_code=refusal.close_code)
        self._outbox.close(refusal.close_code, last=self._parcel("error", body))


def _parse(message: dict[str, Any]) -> Body:
    """The client's frame. Raises `Refused` for anything that is none."""
    text = message.get("text")
    if len((text or "").encode() or message.get("bytes") or b"") > MAX_FRAME_BYTES:
        raise Refused(CloseCode.TOO_LARGE, "too_large")
    try:
        given = json.loads(text or "")
        return CLIENT_FRAMES[given["type"]].model_validate(given)
    except (TypeError, KeyError, ValueError, RecursionError, ValidationError) as error:
        raise Refused(CloseCode.BAD_MESSAGE, "malformed") from error
