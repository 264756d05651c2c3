from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connections
from django.utils import timezone
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from accounts import tokens
from accounts.models import Session, User
from diagnoses.models import Diagnosis
from realtime.actions import issue_ticket

Watch = Callable[..., AbstractAsyncContextManager["Client"]]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The real ASGI server on a free port, in a thread, so that it shares the test's database."""
    from avicenna.asgi import application

    config = uvicorn.Config(
        application,
        port=0,
        log_config=None,
        ws="websockets-sansio",
        ws_max_size=128 * 1024,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"ws://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(timeout=5)


@pytest.fixture(scope="session", autouse=True)
def _no_connection_is_left(django_db_setup: None) -> Iterator[None]:
    """`sync_to_async` runs in a thread that outlives the tests and would keep their database from being removed."""
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


class Client:
    """A socket that speaks JSON and waits no longer than five seconds."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def frame(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            frame: dict[str, Any] = json.loads(await self.socket.recv())
        return frame

    async def frames(self, count: int) -> list[dict[str, Any]]:
        return [await self.frame() for _ in range(count)]

    async def send(self, frame: object) -> None:
        await self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    async def close_code(self) -> int:
        """Reads to the end; the code the server closed with."""
        with suppress(ConnectionClosed):
            async with asyncio.timeout(5):
                while True:
                    await self.socket.recv()
        code: int = self.socket.close_code
        return code


@pytest.fixture
def watch(server: str) -> Watch:
    """`async with watch(user, diagnosis, since=0) as client`: with a ticket of the user's own session."""

    @asynccontextmanager
    async def open_socket(
        user: User, diagnosis: Diagnosis, since: object = 0, *, seconds: float = 600, **kwargs: Any
    ) -> AsyncIterator[Client]:
        secret = await sync_to_async(ticket_for)(user, diagnosis, seconds=seconds)
        address = f"{server}/ws/diagnoses/{diagnosis.pk}/?ticket={secret}&since={since}"
        async with connect(address, **kwargs) as socket:
            yield Client(socket)

    return open_socket


@pytest.fixture
def raw_socket(server: str) -> Callable[..., Any]:
    """A socket on any path, with any headers."""
    return lambda path, **kwargs: connect(f"{server}{path}", **kwargs)


def ticket_for(user: User, diagnosis: Diagnosis, *, seconds: float = 600) -> str:
    """With a session of its own, whose token holds so many seconds."""
    session = Session.objects.create(user=user)
    session.access_until = timezone.now() + timedelta(seconds=seconds)
    return issue_ticket(session=session, diagnosis=diagnosis)


def access_token(user: User) -> str:
    return tokens.issue(Session.objects.create(user=user))["access"]
