"""What one socket has still to be sent. A client that does not read delays nobody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from functools import partial
from types import coroutine
from typing import Any

from realtime.events import Frame
from realtime.wire import Send, encode, transport_of, write_through

MAX_MESSAGES = 100
MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """A frame encoded once; every socket is handed the same one."""

    seq: int
    type: str
    message: dict[str, Any]
    wire: bytes  # the same as a WebSocket frame

    @classmethod
    def of(cls, frame: Frame) -> Parcel:
        text = frame.model_dump_json()
        return cls(frame.seq, frame.type, {"type": "websocket.send", "text": text}, encode(text))

    @property
    def size(self) -> int:
        return len(self.wire)


class Outbox:
    """Hands parcels to the server at once while the client keeps up, and queues behind a send that has to wait.

    `overflowed` becomes true when the client lags more than MAX_MESSAGES or MAX_BYTES behind; nothing more is
    accepted then.
    """

    __slots__ = ("_bytes", "_closing", "_send", "_waiting", "_writer", "overflowed")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[Parcel] = deque()
        self._bytes = 0
        self._closing: dict[str, Any] | None = None
        self._writer: asyncio.Task[None] | None = None
        self.overflowed = False

    def put(self, parcel: Parcel) -> bool:
        """False when the client is too slow or the socket is closing."""
        if self._writer is None:
            return self._closing is None and (write_through(self._send, parcel.wire) or self._begin(parcel.message))
        if self.overflowed or self._closing is not None:
            return False
        if len(self._waiting) >= MAX_MESSAGES or self._bytes + parcel.size > MAX_BYTES:
            self.overflowed = True
            return False
        self._waiting.append(parcel)
        self._bytes += parcel.size
        return True

    def close(self, code: int, last: Parcel | None = None) -> None:
        """Sends what waits, then `last`, then the close frame. A client that is too slow gets the close frame only."""
        if self._closing is not None:
            return
        if self.overflowed:
            self._waiting.clear()
        elif last is not None and not self.put(last):
            self._waiting.append(last)
        self._closing = {"type": "websocket.close", "code": code}
        if self._writer is None:
            self._begin(self._closing)

    @property
    def closing(self) -> bool:
        return self._closing is not None

    async def finish(self, seconds: float) -> None:
        """Gives what is on its way so many seconds, then cuts a client that does not take it."""
        if self._writer is None:
            return
        _, unfinished = await asyncio.wait([self._writer], timeout=seconds if self.closing else 0)
        if unfinished:
            self._writer.cancel()
            _cut(self._send)

    def _begin(self, message: dict[str, Any]) -> bool:
        """Runs a send as far as it goes without waiting; a task finishes it only when it has to wait.

        Nearly every send ends here. A task and a wake-up per socket and event would cost a quarter of the speed.
        """
        sending: Coroutine[Any, Any, None] = self._send(message)  # type: ignore[assignment]  # servers write `async def`
        try:
            waiting_for = sending.send(None)
        except StopIteration:
            return True
        except OSError:
            return False  # the client is gone; its disconnect is on the way
        self._writer = asyncio.create_task(self._write(sending, waiting_for))
        return True

    async def _write(self, sending: Coroutine[Any, Any, None], waiting_for: Any) -> None:
        try:
            await _resume(sending, waiting_for)
            while self._waiting:
                parcel = self._waiting.popleft()
                self._bytes -= parcel.size
                await self._send(parcel.message)
            if self._closing is not None:
                await self._send(self._closing)
        except OSError:
            self._waiting.clear()  # the client is gone
        self._writer = None


@coroutine
def _resume(started: Coroutine[Any, Any, None], waiting_for: Any) -> Generator[Any, Any, None]:
    """Awaits a coroutine that was already run up to its first wait."""
    while True:
        try:
            sent = yield waiting_for
        except BaseException as error:  # a cancellation belongs to the coroutine that waits
            step: Callable[[], Any] = partial(started.throw, error)
        else:
            step = partial(started.send, sent)
        try:
            waiting_for = step()
        except StopIteration:
            return


def _cut(send: Send) -> None:
    """Drops the connection with what it still buffers; to close it politely would wait for a reader that is not there.

    ASGI has no word for that; where the server has no such transport it times out by itself.
    """
    transport = transport_of(send)
    if transport is not None:
        transport.abort()
