"""The clients, writers and oracle of tests/chaos, through nginx with TLS."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import httpx

from tests.chaos.clients import Watcher
from tests.chaos.harness import Chaos, Size
from tests.chaos.oracle import judge
from tests.chaos.servers import Stack as ChaosStack
from tests.chaos.writers import Case
from tests.stack.host import PATIENCE
from tests.stack.stack import Stack

# 220 sockets on 22 diagnoses, of which 20 are written to all the time.
LOAD = Size(busy=20, watchers_each=10, pause=1.5, stampede=0)


@dataclass(frozen=True)
class Door:
    """Where people come in, and the database whose events are the truth."""

    port: int
    tls: ssl.SSLContext
    database_url: str


class Load(Chaos):
    """Everyone comes in by nginx's one door."""

    def __init__(self, door: Door, people: dict[str, Any], http: httpx.AsyncClient) -> None:
        port = SimpleNamespace(port=door.port)
        servers = SimpleNamespace(postgres=SimpleNamespace(url=door.database_url), sockets=[port], servers=[])
        super().__init__(cast("ChaosStack", servers), people, LOAD, random.Random(), http)
        self._tls = door.tls

    async def until(self, holds: Callable[[], bool], what: str, within: float = PATIENCE) -> float:
        return await super().until(holds, what, max(within, PATIENCE))

    def complaints(self) -> list[str]:
        """Of what clients saw. How many events there should be is not said here: the worker tells of some, too."""
        found = list(self.ledger.holes)
        for watcher in self.watchers:
            events, head = self.ledger.events[watcher.diagnosis], self.ledger.heads[watcher.diagnosis]
            found += [f"{watcher.diagnosis}: {complaint}" for complaint in judge(watcher.log, events, head)]
        return found

    async def verdict(self) -> None:
        """Stops writing, lets everyone catch up, compares: every report once, every event to everyone once."""
        await self.writers.rest()
        await self.caught_up()
        reports = {client_id: 1 for case in self.cases for client_id in case.reports}
        stored = await self.ledger.sent_ids()
        assert {client_id: stored[client_id] for client_id in reports} == reports
        assert self.complaints() == []

    def watch(self, case: Case, number: int = 0, **habits: Any) -> Watcher:
        return super().watch(case, number, tls=self._tls, **habits)


@asynccontextmanager
async def load(clinic: Stack, name: str) -> AsyncIterator[Load]:
    """On diagnoses of its own."""
    door = Door(clinic.https_port, clinic.tls, clinic.postgresql.url)
    async with load_through(door, await asyncio.to_thread(clinic.people, name, LOAD.busy + 3)) as everyone:
        yield everyone


@asynccontextmanager
async def load_through(door: Door, people: dict[str, Any]) -> AsyncIterator[Load]:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=20)
    async with httpx.AsyncClient(
        base_url=f"https://localhost:{door.port}", verify=door.tls, limits=limits, timeout=PATIENCE, trust_env=False
    ) as http:
        everyone = Load(door, people, http)
        try:
            await everyone.begin()
            yield everyone
        finally:
            await everyone.end()
