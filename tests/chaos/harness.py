"""The clinic under load, with everyone who watches it, and the verdict on what they saw."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from tests.chaos.clients import Watcher
from tests.chaos.oracle import Event, Gap, Ledger, Reset, judge
from tests.chaos.servers import Stack, exceptions, running_databases
from tests.chaos.writers import Case, Writers

CAUGHT_UP_WITHIN = 30.0


@dataclass(frozen=True)
class Size:
    """`busy` diagnoses are written to all the time; one more is quiet, one loud, one is not watched."""

    busy: int
    watchers_each: int
    pause: float  # between two writes on one diagnosis, on average
    stampede: int


SMALL = Size(busy=8, watchers_each=5, pause=0.25, stampede=200)
LARGE = Size(busy=20, watchers_each=10, pause=0.5, stampede=1000)


class Chaos:
    def __init__(
        self, stack: Stack, clinic: dict[str, Any], size: Size, rng: random.Random, http: httpx.AsyncClient
    ) -> None:
        self.stack = stack
        self.size = size
        self.rng = rng
        self.http = http
        self.watchers: list[Watcher] = []
        self._left: list[Watcher] = []
        self._tasks: dict[object, asyncio.Task[Any]] = {}
        self.cases = [
            Case(UUID(one["id"]), UUID(one["recommendation"]), one["patient"], clinic["doctor"], one["head"])
            for one in clinic["diagnoses"]
        ]
        self.unwatched, self.quiet, self.loud, *self.busy = self.cases
        self.ledger = Ledger(stack.postgres.url, [case.id for case in self.cases])
        self.writers = Writers(http, self.busy, pause=size.pause, rng=rng)

    # ── load ────────────────────────────────────────────────────────────────────────────────────────────────────────

    async def begin(self) -> None:
        self._run(self.ledger, self.ledger.keep())
        for case in (self.quiet, self.loud, *self.busy):
            for number in range(self.size.watchers_each):
                self.watch(case, number=number)
        for case in self.busy:
            self._run(case.id, self.writers.write(case))
        self.writers.go()
        await self.until(lambda: all(watcher.is_open for watcher in self.watchers), "everyone is connected")

    def watch(self, case: Case, number: int = 0, **habits: Any) -> Watcher:
        """Practitioner and patient in turn, with a ticket and with a bearer token in turn, on each server in turn."""
        ports = [server.port for server in self.stack.sockets]
        ports = [*ports[number % len(ports) :], *ports[: number % len(ports)]]
        token = case.patient if number // 2 % 2 else case.doctor
        habits = {"by_ticket": bool(number // 4 % 2)} | habits
        watcher = Watcher(case.id, token, self.http, ports, **habits)
        self.watchers.append(watcher)
        self._run(watcher, watcher.follow())
        return watcher

    def cut_at_random(self, count: int) -> list[Watcher]:
        cut = self.rng.sample([watcher for watcher in self.watchers if watcher.is_open], count)
        for watcher in cut:
            watcher.cut()
        return cut

    @asynccontextmanager
    async def crowd(self, size: int, cases: list[Case], **habits: Any) -> AsyncIterator[list[Watcher]]:
        """More watchers for a while, who were here a moment ago; they are judged when they leave."""
        crowd = []
        for number in range(size):
            case = cases[number % len(cases)]
            position = max(0, self.ledger.heads[case.id] - 20)
            crowd.append(self.watch(case, number // len(cases), position=position, **habits))
        await self.until(lambda: all(watcher.is_open for watcher in crowd), f"a crowd of {size} is connected")
        try:
            yield crowd
            await self.verdict()
        finally:
            for watcher in crowd:
                self._tasks.pop(id(watcher)).cancel()
                self.watchers.remove(watcher)
            self._left += crowd

    def _run(self, owner: object, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks[id(owner) if isinstance(owner, Watcher) else owner] = asyncio.create_task(work)

    async def end(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # ── waiting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def until(self, holds: Callable[[], bool], what: str, within: float = CAUGHT_UP_WITHIN) -> float:
        """Seconds it took. A watcher or writer that broke ends the wait at once."""
        started = time.monotonic()
        while not holds():
            self._raise_what_broke()
            if time.monotonic() - started > within:
                raise AssertionError(f"not within {within:.0f} s: {what}")
            await asyncio.sleep(0.02)
        return time.monotonic() - started

    async def written(self, count: int) -> None:
        """Waits for so many more acknowledged writes."""
        target = self.writers.acknowledged + count
        await self.until(lambda: self.writers.acknowledged >= target, f"{count} more writes")

    async def caught_up(self, watchers: Iterable[Watcher] | None = None, within: float = CAUGHT_UP_WITHIN) -> float:
        """Seconds until every one of them has everything that is committed now, under load."""
        started = time.monotonic()
        await self.ledger.read_now()
        heads = dict(self.ledger.heads)
        watched = list(self.watchers if watchers is None else watchers)

        def behind() -> list[Watcher]:
            return [watcher for watcher in watched if watcher.position < heads[watcher.diagnosis]]

        await self.until(lambda: not behind(), "everyone has caught up", within)
        return time.monotonic() - started

    def _raise_what_broke(self) -> None:
        for task in self._tasks.values():
            if task.done() and not task.cancelled():
                task.result()

    # ── verdict ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def survive(self, fault: Callable[[Chaos], Awaitable[None]]) -> float:
        """Runs one fault; returns the most seconds any event needed to any client, once the verdict is good."""
        started = time.time()
        try:
            await fault(self)
            await self.caught_up()
            await self.verdict()
        except AssertionError as error:
            error.add_note(f"during {fault.__name__}; so far {dict(self.figures())}")
            error.add_note(f"closed with {dict(self.closes())}; logged {dict(exceptions(self.stack))}")
            raise
        return self._slowest(started)

    def _slowest(self, since: float) -> float:
        """Of the events that were committed after `since`; where the writers' clock ran ahead it says too little."""
        entries = (entry for watcher in self.watchers + self._left for entry in watcher.log)
        events = [entry for entry in entries if isinstance(entry, Event) and entry.at.timestamp() >= since]
        return max((event.arrived - event.at.timestamp() for event in events), default=0.0)

    async def verdict(self) -> None:
        """Stops writing for a moment, lets everyone catch up, compares."""
        await self.writers.rest()
        try:
            await self.caught_up()
            complaints = self.complaints()
            if await self.ledger.sent_ids() != {client_id: 1 for case in self.cases for client_id in case.reports}:
                complaints.append("the reports in the database are not those that were acknowledged, each once")
        finally:
            self.writers.go()
        if complaints:
            raise AssertionError("\n".join(complaints[:20]))

    async def compare_rollups(self) -> str:
        """What `rebuild_analytics --check` says of the sums after all that happened; a difference fails."""
        await self.writers.rest()
        try:
            code, said = await self.stack.manage("rebuild_analytics", "--check")
        finally:
            self.writers.go()
        if code:
            raise AssertionError(f"the rollups are not what the feedback says, exit code {code}:\n{said}")
        return said

    def complaints(self) -> list[str]:
        found = list(self.ledger.holes)
        for case in self.cases:
            if (types := self.ledger.types(case.id)) != case.expected_types:
                found.append(f"{case.id}: committed {types}, acknowledged {case.expected_types}")
        for watcher in self.watchers:
            events, head = self.ledger.events[watcher.diagnosis], self.ledger.heads[watcher.diagnosis]
            found += [f"{watcher.diagnosis}: {complaint}" for complaint in judge(watcher.log, events, head)]
            found += [f"{watcher.diagnosis}: {entry} left a gap" for entry in watcher.log if isinstance(entry, Gap)]
        return found

    def figures(self) -> Counter[str]:
        everyone = self.watchers + self._left
        entries = [entry for watcher in everyone for entry in watcher.log]
        return Counter(
            {
                "writes acknowledged": self.writers.acknowledged,
                "writes said again": self.writers.retries,
                "writes said twice at once": self.writers.doubled,
                "events committed": sum(self.ledger.heads.values()),
                "clients": len(everyone),
                "deliveries": sum(isinstance(entry, Event) for entry in entries),
                "reconnects": sum(max(0, watcher.connects - 1) for watcher in everyone),
                "failed attempts": sum(watcher.failures for watcher in everyone),
                "resets": sum(isinstance(entry, Reset) for entry in entries),
                "gaps noticed": sum(isinstance(entry, Gap) for entry in entries),
            }
        )

    def closes(self) -> Counter[int]:
        return sum((watcher.closes for watcher in self.watchers + self._left), Counter())


@asynccontextmanager
async def chaos(size: Size, rng: random.Random) -> AsyncIterator[Chaos]:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
    headers = {"X-Forwarded-Proto": "https"}
    with running_databases() as stack:
        rest = f"http://127.0.0.1:{stack.rest.port}"
        async with httpx.AsyncClient(
            base_url=rest, headers=headers, limits=limits, timeout=15, trust_env=False
        ) as http:
            prepared = json.loads(await stack.start(size.busy + 3))
            clinic = Chaos(stack, prepared, size, rng, http)
            try:
                await clinic.begin()
                yield clinic
            finally:
                await clinic.end()
