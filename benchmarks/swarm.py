"""Opens many sockets, counts what arrives and when. As lean as a client can be, for it shares the cores.

Reads JSON commands from standard input and answers each with a JSON line:
`{"open": n, "paths": […], "headers": {…}, "greets": bool, "mute": k}` ·
`{"publish": text}` (sent by the first socket) ·
`{"collect": count, "key": "seq", "seconds": s}` → arrivals by key · `{"close": true}`.
Times are CLOCK_MONOTONIC nanoseconds, the same clock in every process of a machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import struct
import sys
import time
from typing import Any

import uvloop

BATCH = 100
TEXT, PING, PONG = 1, 9, 10


class Socket(asyncio.Protocol):
    """One client, open once the server agreed or, where it `greets`, has sent its first frame.

    A mute one stops reading once it is open.
    """

    def __init__(self, request: bytes, arrivals: list[tuple[int, bytes]], *, greets: bool, mute: bool) -> None:
        self.request = request
        self.arrivals = arrivals
        self.greets = greets
        self.mute = mute
        self.agreed = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.buffer += data
        if not self.agreed:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head[:20]:
                self.opened.set_exception(ConnectionError(head[:100].decode()))
                return
            self.buffer, self.agreed = rest, True
        before = len(self.arrivals)
        self._take_frames(now)
        if not self.opened.done() and (not self.greets or len(self.arrivals) > before):
            self.opened.set_result(None)
            if self.mute:
                self.transport.pause_reading()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("closed during the handshake"))

    def send(self, payload: bytes, kind: int = TEXT) -> None:
        mask, kind = os.urandom(4), 0x80 | kind
        head = (
            bytes([kind, 0x80 | len(payload)]) if len(payload) < 126 else struct.pack(">BBH", kind, 0xFE, len(payload))
        )
        self.transport.write(head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload)))

    def _take_frames(self, now: int) -> None:
        buffer, at = self.buffer, 0
        while len(buffer) - at >= 2:
            length, start = buffer[at + 1] & 127, at + 2
            if length == 126:
                if len(buffer) < at + 4:
                    break
                length, start = struct.unpack_from(">H", buffer, at + 2)[0], at + 4
            elif length == 127:
                if len(buffer) < at + 10:
                    break
                length, start = struct.unpack_from(">Q", buffer, at + 2)[0], at + 10
            if len(buffer) < start + length:
                break
            if buffer[at] & 15 == TEXT:
                self.arrivals.append((now, buffer[start : start + length]))
            elif buffer[at] & 15 == PING:
                self.send(buffer[start : start + length], PONG)
            at = start + length
        self.buffer = buffer[at:]


class Swarm:
    def __init__(self, port: int) -> None:
        self.port = port
        self.sockets: list[Socket] = []
        self.arrivals: list[tuple[int, bytes]] = []

    async def open(self, command: dict[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        for first in range(0, command["open"], BATCH):
            numbers = range(first, min(first + BATCH, command["open"]))
            await asyncio.gather(*(self._connect(number, command) for number in numbers))
        seconds = time.monotonic() - started
        await asyncio.sleep(1)  # what is sent on connecting does not count
        self.arrivals.clear()
        return {"seconds": seconds}

    async def collect(self, command: dict[str, Any]) -> dict[str, list[int]]:
        """Waits for so many arrivals that carry the key, and returns their times by its value."""
        deadline = time.monotonic() + command["seconds"]
        while len(self.arrivals) < command["collect"] and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        pattern = re.compile(rb'"' + command["key"].encode() + rb'": ?(\d+)')
        found: dict[str, list[int]] = {}
        for moment, text in self.arrivals:
            if match := pattern.search(text):
                found.setdefault(match[1].decode(), []).append(moment)
        self.arrivals.clear()
        return found

    async def _connect(self, number: int, command: dict[str, Any]) -> None:
        paths = command["paths"]
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {paths[number % len(paths)]} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Upgrade: websocket"]
        lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in command.get("headers", {}).items()]
        request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        mute = 0 < number <= command.get("mute", 0)  # the first one publishes
        loop = asyncio.get_running_loop()
        # A range of source addresses: ten thousand sockets are more than one address has spare ports for in tests.
        source = (f"127.0.0.{2 + number // 20_000}", 0)
        _, socket = await loop.create_connection(
            lambda: Socket(request, self.arrivals, greets=command.get("greets", False), mute=mute),
            "127.0.0.1",
            self.port,
            local_addr=source,
        )
        self.sockets.append(socket)
        await asyncio.wait_for(socket.opened, 30)


async def main() -> None:
    swarm = Swarm(int(sys.argv[1]))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        answer: object = {}
        if "open" in command:
            answer = await swarm.open(command)
        elif "publish" in command:
            swarm.sockets[0].send(command["publish"].encode())
        elif "collect" in command:
            answer = await swarm.collect(command)
        print(json.dumps(answer), flush=True)
    for socket in swarm.sockets:
        socket.transport.abort()


uvloop.run(main())
