"""The design of many FastAPI services: a set of sockets for each diagnosis, a lock, and one send after another."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

application = FastAPI()
watchers: dict[int, set[WebSocket]] = defaultdict(set)
locks: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)


@application.websocket("/ws/{diagnosis}")
async def watch(socket: WebSocket, diagnosis: int) -> None:
    await socket.accept()
    watchers[diagnosis].add(socket)
    try:
        while True:
            content = await socket.receive_json()
            async with locks[diagnosis]:
                for watcher in tuple(watchers[diagnosis]):
                    await watcher.send_json(content)
    except WebSocketDisconnect:
        watchers[diagnosis].discard(socket)
