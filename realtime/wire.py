"""The way of an event past the server's own encoder: the same bytes for every socket, encoded once.

uvicorn builds the WebSocket frame anew for each socket, which costs as much as all the rest of a delivery. Its `send`
belongs to the connection, and where that is in the state in which uvicorn itself would just write, we write. Any other
server, state or version takes the way of ASGI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

Send = Callable[[dict[str, Any]], Awaitable[None]]


def encode(text: str) -> bytes:
    """A whole text frame from server to client (RFC 6455, section 5.2)."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def write_through(send: Send, frame: bytes) -> bool:
    """Whether the frame went out; if not, it is to be sent as a message."""
    connection = getattr(send, "__self__", None)
    if type(connection) is not WebSocketsSansIOProtocol or connection.conn.extensions:  # compressed: each its own
        return False
    is_open = connection.handshake_complete and not (connection.disconnected or connection.close_sent)
    if not (is_open and connection.writable.is_set()):
        return False
    connection.transport.write(frame)
    return True


def transport_of(send: Send) -> asyncio.WriteTransport | None:
    transport: asyncio.WriteTransport | None = getattr(getattr(send, "__self__", None), "transport", None)
    return transport
