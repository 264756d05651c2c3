"""Clients that post without a pause. As lean as a client can be, for it shares the cores.

`python -m benchmarks.posts PORT` reads JSON commands from standard input and answers each with a JSON line:
`{"path", "requests": [{"headers", "body"}, …], "clients", "seconds"}` → `{"seconds", "answers": {status: count}}`.
The clients share out the requests and send theirs in turn, each when the one before was answered.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import cycle
from typing import Any

import uvloop


class Post(asyncio.Protocol):
    """One connection, kept for as many requests as the server allows."""

    def __init__(self) -> None:
        self.buffer = b""
        self.expected = 0
        self.closed = False
        self.answered: asyncio.Future[int] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def send(self, request: bytes) -> asyncio.Future[int]:
        """The status of the answer, once all of it has arrived."""
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answered

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.expected and (end := self.buffer.find(b"\r\n\r\n")) > 0:
            head = self.buffer[:end].lower()
            self.closed = b"\r\nconnection: close" in head
            if length := head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]:
                self.expected = end + 4 + int(length)
        if self.expected and len(self.buffer) >= self.expected:
            self._finish()
            if self.closed:
                self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Also the end of an answer that does not tell its length."""
        self.closed = True
        if self.buffer and not self.expected:
            self._finish()
        elif self.answered:
            self.answered.set_exception(error or ConnectionError("closed before the answer"))

    def _finish(self) -> None:
        if self.answered:
            self.answered.set_result(int(self.buffer[9:12]))
        self.buffer, self.expected, self.answered = b"", 0, None


async def client(port: int, requests: list[bytes], until: float, answers: Counter[str]) -> None:
    loop, post = asyncio.get_running_loop(), None
    for request in cycle(requests):
        if time.monotonic() >= until:
            break
        try:
            if post is None or post.closed:
                _, post = await loop.create_connection(Post, "127.0.0.1", port)
            answers[str(await post.send(request))] += 1
        except OSError as error:
            answers[type(error).__name__] += 1
    if post is not None:
        post.transport.close()


async def run(port: int, command: dict[str, Any]) -> dict[str, Any]:
    requests = [encode(port, command["path"], **request) for request in command["requests"]]
    answers: Counter[str] = Counter()
    started, clients = time.monotonic(), command["clients"]
    until = started + command["seconds"]
    await asyncio.gather(*(client(port, requests[n::clients], until, answers) for n in range(clients)))
    return {"seconds": time.monotonic() - started, "answers": dict(answers)}


def encode(port: int, path: str, headers: dict[str, str], body: dict[str, Any]) -> bytes:
    content = json.dumps(body).encode()
    given = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", "Content-Length": len(content)} | headers
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(uvloop.run(run(int(sys.argv[1]), json.loads(line)))), flush=True)


main()
