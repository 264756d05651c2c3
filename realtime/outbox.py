from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]

MAX_MESSAGES = 100
MAX_BYTES = 256 * 1024


class Outbox:
    """What one socket has still to be sent, with a writer of its own: a client that does not read delays nobody.

    `overflowed` becomes true when the client lags more than MAX_MESSAGES or MAX_BYTES behind.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._closing: dict[str, Any] | None = None
        self._writer = asyncio.create_task(self._write())
        self.overflowed = False

    def put(self, text: str) -> bool:
        """False when the client is too slow; nothing more is accepted then."""
        if self.overflowed or self._closing is not None:
            return False
        if len(self._waiting) >= MAX_MESSAGES or self._bytes + len(text) > MAX_BYTES:
            self.overflowed = True
            return False
        self._waiting.append(text)
        self._bytes += len(text)
        self._wake.set()
        return True

    def close(self, code: int, last: str | None = None) -> None:
        """Sends what waits, then `last`, then the close frame. A client that is too slow gets the close frame only."""
        if self._closing is not None:
            return
        if self.overflowed:
            self._waiting.clear()
        if last is not None:
            self._waiting.append(last)
        self._closing = {"type": "websocket.close", "code": code}
        self._wake.set()

    @property
    def closing(self) -> bool:
        return self._closing is not None

    async def finish(self, seconds: float) -> None:
        """Ends the writer; when it is closing it may have `seconds` for the last words."""
        if self.closing:
            await asyncio.wait([self._writer], timeout=seconds)
        self._writer.cancel()

    async def _write(self) -> None:
        while True:
            while self._waiting:
                text = self._waiting.popleft()
                self._bytes -= len(text)
                await self._send({"type": "websocket.send", "text": text})
            if self._closing is not None:
                await self._send(self._closing)
                return
            self._wake.clear()
            await self._wake.wait()
