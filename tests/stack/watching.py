"""The clients, writers and oracle of tests/chaos, through nginx with TLS."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx

from tests.chaos.clients import Watcher
from tests.chaos.harness import Chaos, Size
from tests.chaos.servers import Stack as ChaosStack
from tests.chaos.writers import Case
from tests.stack.conftest import DIAGNOSES
from tests.stack.stack import Stack

# 220 sockets on 22 diagnoses, of which 20 are written to all the time.
LOAD = Size(busy=DIAGNOSES - 3, watchers_each=10, pause=1.0, stampede=0)


class Load(Chaos):
    """Everyone comes in by nginx's one door."""

    def __init__(self, clinic: Stack, people: dict[str, Any], http: httpx.AsyncClient) -> None:
        door = SimpleNamespace(port=clinic.https_port)
        servers = SimpleNamespace(postgres=SimpleNamespace(url=clinic.postgresql.url), sockets=[door], servers=[])
        super().__init__(cast("ChaosStack", servers), people, LOAD, random.Random(), http)
        self._tls = clinic.tls

    def watch(self, case: Case, number: int = 0, **habits: Any) -> Watcher:
        return super().watch(case, number, tls=self._tls, **habits)


@asynccontextmanager
async def load(clinic: Stack, people: dict[str, Any]) -> AsyncIterator[Load]:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=20)
    async with httpx.AsyncClient(
        base_url=clinic.url, verify=clinic.tls, limits=limits, timeout=30, trust_env=False
    ) as http:
        everyone = Load(clinic, people, http)
        try:
            await everyone.begin()
            yield everyone
        finally:
            await everyone.end()
