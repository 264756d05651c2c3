"""Restarts while 220 sockets are open and reports come in all the time; docs/benchmarks.md has the figures printed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import pytest

from tests.chaos.oracle import Event
from tests.stack.stack import Stack
from tests.stack.watching import Load, load

pytestmark = pytest.mark.thorough


async def test_while_everything_is_restarted_in_turn_no_request_fails_and_no_event_is_lost(
    clinic: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    before = clinic.processes
    async with load(clinic, "rolling") as everyone:
        await everyone.written(50)
        started, written = time.time(), everyone.writers.acknowledged
        said = await asyncio.to_thread(clinic.roll)
        seconds = time.time() - started
        await everyone.written(50)
        await everyone.caught_up()
        await everyone.verdict()
        figures = everyone.figures() | {"seconds": round(seconds), "slowest delivery, ms": slowest(everyone, started)}
    with capsys.disabled():
        sys.stdout.write(f"\n{said}{dict(figures)}\nclosed with {dict(everyone.closes())}\n")

    after = clinic.processes
    restarted = {name for name, pid in after.items() if before[name] != pid}
    assert restarted == {"rest-1", "rest-2", "sockets-1", "sockets-2", "worker"}
    assert everyone.writers.acknowledged - written > 50
    assert everyone.writers.retries == 0
    assert figures["failed attempts"] == 0
    assert everyone.closes()[1012] >= len(everyone.watchers)  # everyone was on one of the two, and most on both
    assert set(everyone.closes()) <= {1012}


def slowest(everyone: Load, since: float) -> int:
    """Milliseconds from the commit to the last of its clients."""
    entries = (entry for watcher in everyone.watchers for entry in watcher.log)
    delays = [e.arrived - e.at.timestamp() for e in entries if isinstance(e, Event) and e.at.timestamp() >= since]
    return round(max(delays) * 1000)


async def test_a_socket_server_that_is_killed_costs_its_clients_a_moment_and_nobody_an_event(
    clinic: Stack,
) -> None:
    async with load(clinic, "killing") as everyone:
        await everyone.written(30)
        os.kill(clinic.processes["sockets-1"], signal.SIGKILL)
        await everyone.written(30)
        await everyone.caught_up()
        await everyone.verdict()
        assert everyone.writers.retries == 0
    await asyncio.to_thread(clinic.wait_until_ready)  # supervisor started it again
