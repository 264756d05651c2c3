"""Two hosts with one database and one Redis, and what happens to those on a host whose cable is pulled."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.stack import hosts
from tests.stack.host import PATIENCE
from tests.stack.hosts import Hosts, door
from tests.stack.servers import missing
from tests.stack.watching import LOAD, Door, Load, load_through

pytestmark = pytest.mark.thorough

# Longer than the heads check, so that what a host has not heard of does not come by chance.
OUTAGE_SECONDS = 20


@pytest.fixture(scope="module")
def clinic() -> Iterator[Hosts]:
    if lacks := missing() or hosts.missing():
        pytest.skip(f"this machine has no {lacks}")
    with hosts.hosts(ACCESS_TOKEN_MINUTES="600", WEBSOCKETS_PER_USER="1000000", RATELIMIT_ENABLE="0") as running:
        yield running


async def people(clinic: Hosts, name: str, diagnoses: int) -> dict[str, Any]:
    return await asyncio.to_thread(clinic.one.people, name, diagnoses)


async def first(socket: ClientConnection, type: str) -> dict[str, Any]:
    """What the first event of this type tells."""
    while True:
        frame = json.loads(await socket.recv())
        if frame["type"] == type:
            data: dict[str, Any] = frame["data"]
            return data


async def test_what_is_written_on_one_host_reaches_a_socket_on_the_other(clinic: Hosts) -> None:
    diagnosis = (await people(clinic, "across", 1))["diagnoses"][0]
    bearer = {"Authorization": f"Bearer {diagnosis['patient']}"}
    report = {"recommendation": diagnosis["recommendation"], "rating": 5, "symptom_improvement": 5}
    async with door(clinic.one) as one, door(clinic.two) as two:
        watch = f"wss://localhost:{two}/ws/diagnoses/{diagnosis['id']}/"
        async with connect(watch, ssl=clinic.tls, additional_headers=bearer, proxy=None) as socket:
            await socket.recv()
            async with httpx.AsyncClient(verify=clinic.tls, trust_env=False, timeout=PATIENCE) as http:
                answer = await http.post(f"https://localhost:{one}/api/feedback/", json=report, headers=bearer)
            told = await asyncio.wait_for(first(socket, "feedback_update"), 15)

    assert told["feedback_id"] == answer.json()["id"]


@pytest.fixture
async def everyone(clinic: Hosts, request: pytest.FixtureRequest) -> AsyncIterator[Load]:
    async with door(clinic.one, clinic.two) as port:
        way = Door(port, clinic.tls, clinic.postgresql.url)
        async with load_through(way, await people(clinic, request.node.callspec.id, LOAD.busy + 3)) as load:
            yield load


@pytest.mark.parametrize("name", ["data", "front"])
async def test_a_link_that_is_cut_and_mended_loses_and_doubles_nothing(
    clinic: Hosts, everyone: Load, name: str
) -> None:
    await everyone.written(30)
    with clinic.one.links[name].cut():
        await asyncio.sleep(OUTAGE_SECONDS)
    await everyone.written(30)
    await everyone.caught_up()

    await everyone.verdict()
