"""A client of the stream as docs/stream.md describes it, and ways to treat it badly."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.chaos.oracle import Entry, Event, Gap, Opened, Reset

FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0
HOPELESS = {4400, 4403, 4413}  # the guide says: do not reconnect
NUMBERED = {"diagnosis_update", "recommendation_update", "feedback_update", "effectiveness_update"}

Unreachable = (OSError, TimeoutError, InvalidHandshake, InvalidMessage, httpx.HTTPError, ConnectionClosed)


class Hopeless(Exception):
    """The server closed with a code that no healthy client should ever get."""


@dataclass
class Watcher:
    """Follows one diagnosis until cancelled, over whichever server answers."""

    diagnosis: UUID
    token: str
    http: httpx.AsyncClient
    ports: list[int]
    by_ticket: bool = True
    position: int = 0
    seconds_per_frame: float = 0.0
    narrow: bool = False  # small buffers: the server notices soon that nothing is read
    tls: ssl.SSLContext | None = None  # behind nginx, which answers to `localhost`
    log: list[Entry] = field(default_factory=list)
    closes: Counter[int] = field(default_factory=Counter)
    connects: int = 0
    failures: int = 0
    frames: Counter[str] = field(default_factory=Counter)
    clock: float = 0.0  # of the server, seconds ahead of ours, as its last `connect` said
    _socket: ClientConnection | None = None
    _listening: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._listening.set()

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    @property
    def port(self) -> int:
        """The server it is on, or tries next."""
        return self.ports[0]

    def cut(self) -> None:
        """The network is gone: no closing handshake."""
        if self._socket:
            self._socket.transport.abort()

    def mute(self) -> None:
        self._listening.clear()

    def listen(self) -> None:
        self._listening.set()

    async def follow(self) -> None:
        attempts = 0
        while True:
            connects = self.connects
            try:
                await self._connection()
            except Unreachable:
                self.failures += 1
            attempts = 0 if self.connects > connects else attempts + 1
            random.shuffle(self.ports)  # whichever server the balancer picks
            longest = min(LONGEST_WAIT, FIRST_WAIT * 2**attempts)
            await asyncio.sleep(random.uniform(longest / 2, longest))

    async def _connection(self) -> None:
        address, headers = await self._address()
        plain = await self._dial()
        async with connect(
            address,
            sock=plain,
            ssl=self.tls,
            additional_headers=headers,
            compression=None,
            max_queue=4,
            ping_interval=None,
            open_timeout=15,
            close_timeout=1,
            proxy=None,
        ) as opened:
            self.log.append(Opened(self.position))
            try:
                await self._read(opened)
            except ConnectionClosed:
                pass
            finally:
                self._socket = None
            code = opened.close_code or 1006
        self.closes[code] += 1
        if code in HOPELESS:
            raise Hopeless(f"closed with {code}")

    async def _address(self) -> tuple[str, dict[str, str]]:
        door = f"wss://localhost:{self.port}" if self.tls else f"ws://127.0.0.1:{self.port}"
        base = f"{door}/ws/diagnoses/{self.diagnosis}/?since={self.position}"
        bearer = {"Authorization": f"Bearer {self.token}"}
        if not self.by_ticket:
            return base, bearer
        answer = await self.http.post("/api/realtime/tickets", json={"diagnosis": str(self.diagnosis)}, headers=bearer)
        ticket = answer.raise_for_status().json()["ticket"]
        return f"{base}&ticket={ticket}", {}

    async def _dial(self) -> socket.socket:
        plain = socket.socket()
        plain.setblocking(False)
        if self.narrow:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # keeps the server's buffer small too
        try:
            await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self.port))
        except BaseException:
            plain.close()
            raise
        return plain

    async def _read(self, opened: ClientConnection) -> None:
        while True:
            await self._listening.wait()
            frame = json.loads(await opened.recv())
            if self._socket is None and frame["type"] == "connect":
                self._socket = opened
                self.connects += 1
            self.frames[frame["type"]] += 1
            if not self._take(frame):
                return
            if self.seconds_per_frame:
                await asyncio.sleep(self.seconds_per_frame)

    def _take(self, frame: dict[str, object]) -> bool:
        """False after a gap: there is nothing to do but to ask again."""
        type, seq, at = str(frame["type"]), int(str(frame["seq"])), datetime.fromisoformat(str(frame["timestamp"]))
        if type == "connect":
            self.clock = at.timestamp() - time.time()
        elif type == "reset":
            self.log.append(Reset(seq))
            self.position = seq
        elif type in NUMBERED and seq > self.position + 1:
            self.log.append(Gap(seq))
            return False
        elif type in NUMBERED:
            self.log.append(Event(seq, type, at, arrived=time.time()))
            self.position = max(self.position, seq)
        return True
