"""No framework at all: one frame, encoded once, written to every socket. What the machine itself allows.

`python -m benchmarks.peers.bare_writes PORT`
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
import sys
from typing import Any

import uvloop

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

sockets: list[asyncio.WriteTransport] = []


class Socket(asyncio.Protocol):
    """Agrees to whatever is asked for; what it hears goes to everybody."""

    def __init__(self) -> None:
        self.agreed = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.agreed:
            broadcast(data)
            return
        key = data.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + MAGIC, usedforsecurity=False).digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.transport.write(head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self.agreed = True
        sockets.append(self.transport)


def broadcast(data: bytes) -> None:
    mask, payload = data[4:8], data[8:]  # a text of 126 to 65,535 bytes: all that the benchmark sends
    text = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
    frame = struct.pack(">BBH", 0x81, 126, len(text)) + text
    for transport in sockets:
        transport.write(frame)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Socket, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


uvloop.run(main(int(sys.argv[1])))
