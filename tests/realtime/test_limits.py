from __future__ import annotations

import asyncio
import functools
import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from prometheus_client import REGISTRY

from diagnoses.models import Diagnosis, Recommendation
from realtime.events import RecommendationUpdate
from realtime.limits import Window
from realtime.publish import publish

from .conftest import access_token

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_user_holds_twenty_sockets_at_most(watch: Any, alice: Any, bob: Any, diagnosis: Any) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(20):
            opened = await stack.enter_async_context(watch(bob, diagnosis, since=1))
            await opened.frame()
        one_too_many = await stack.enter_async_context(watch(bob, diagnosis, since=1))
        seen = await one_too_many.frames(2)

        assert (seen[1]["type"], seen[1]["data"]["code"]) == ("error", "too_many_sockets")
        assert await one_too_many.close_code() == 4429
        somebody_else = await stack.enter_async_context(watch(alice, diagnosis, since=1))
        assert (await somebody_else.frame())["type"] == "connect"
        await somebody_else.send({"type": "ping"})
        assert (await somebody_else.frame())["type"] == "pong"

    await asyncio.sleep(0.1)
    async with watch(bob, diagnosis, since=1) as again:
        await again.frame()
        await again.send({"type": "ping"})
        assert (await again.frame())["type"] == "pong"


async def test_an_address_makes_so_many_handshakes_a_minute(
    watch: Any, bob: Any, diagnosis: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("realtime.consumers.handshakes", Window(2))
    for _ in range(2):
        async with watch(bob, diagnosis, since=1) as client:
            assert (await client.frame())["type"] == "connect"

    async with watch(bob, diagnosis, since=1) as client:
        assert (await client.frame())["data"]["code"] == "too_many_requests"
        assert await client.close_code() == 4429


def test_the_next_minute_counts_anew(monkeypatch: Any) -> None:
    window = Window(1)
    assert [window.allows("10.0.0.1"), window.allows("10.0.0.1"), window.allows("10.0.0.2")] == [True, False, True]
    monkeypatch.setattr("realtime.limits.time.monotonic", lambda: 1e9)

    assert window.allows("10.0.0.1")


async def test_a_frame_of_more_than_64_kib_ends_the_socket(watch: Any, alice: Any, diagnosis: Any) -> None:
    async with watch(alice, diagnosis, since=1) as client:
        await client.frame()
        await client.send('{"type": "ping", "x": "' + "ا" * 33_000 + '"}')

        assert (await client.frame())["data"]["code"] == "too_large"
        assert await client.close_code() == 4413

    async with watch(alice, diagnosis, since=1) as next_one:
        assert (await next_one.frame())["type"] == "connect"


def deaf_client(server: str, diagnosis: Diagnosis, token: str) -> socket.socket:
    """Shakes hands and never reads."""
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    opened.connect(("127.0.0.1", int(server.rpartition(":")[2])))
    lines = [f"GET /ws/diagnoses/{diagnosis.pk}/?since=2 HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"]
    lines += [f"Authorization: Bearer {token}", "", ""]
    opened.sendall("\r\n".join(lines).encode())
    return opened


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@transaction.atomic
def tell_much(recommendation: Recommendation) -> None:
    publish(recommendation.diagnosis, RecommendationUpdate.stopped(recommendation, reason="x" * 100_000))


async def test_one_who_does_not_read_is_cut_and_delays_nobody(
    server: str, watch: Any, alice: Any, bob: Any, recommendation: Any
) -> None:
    diagnosis = recommendation.diagnosis
    slow_before = sample("realtime_slow_consumers_total")
    open_now = functools.partial(sample, "websocket_connections_active", diagnosis_id=str(diagnosis.pk))
    with deaf_client(server, diagnosis, await sync_to_async(access_token)(bob)):
        async with watch(alice, diagnosis, since=2, max_size=None) as client:
            await client.frame()
            for number in range(40):
                await sync_to_async(tell_much)(recommendation)
                assert (await client.frame())["seq"] == 3 + number
            async with asyncio.timeout(5):
                while open_now() != 1:
                    await asyncio.sleep(0.05)

    assert sample("realtime_slow_consumers_total") == slow_before + 1
