"""`make bench-fanout`: one event to many sockets, beside the usual ways to build it, in one run on one machine.

Ours is measured from the commit in another process (as gunicorn would publish) to each socket: hint, query, encoding
and delivery included. The peers are measured from the moment a client sends the message.
Exit code 1 when a figure is missed.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from rich.console import Console
from rich.table import Table

from benchmarks.servers import UVICORN, Process, child, free_port, python, resident_kb, web_server
from tests.run import PRODUCTION, postgresql, redis

SOCKETS, EVENTS, GAP, ROUNDS = 1_000, 20, 0.4, 3
PAD = "x" * 200
# Bare writes per second of the machine that the absolute figures were set on.
REFERENCE = 97_000


@dataclass(frozen=True)
class Fanout:
    """Milliseconds; `deliveries` is sockets per second while one event fans out (median event)."""

    name: str
    p50: float
    p99: float
    last: float
    arrived: float
    kb_per_socket: float

    @property
    def deliveries(self) -> float:
        return SOCKETS / self.last * 1000


def summarise(name: str, spans: list[tuple[int, list[int]]], expected: int, kb: float) -> Fanout:
    """From (start, arrivals) of each event, in nanoseconds."""
    latencies = sorted((moment - start) / 1e6 for start, arrivals in spans for moment in arrivals)
    lasts = [(max(arrivals) - start) / 1e6 for start, arrivals in spans]
    quantiles = statistics.quantiles(latencies, n=100)
    return Fanout(name, quantiles[49], quantiles[98], statistics.median(lasts), len(latencies) / expected, kb)


def peer(name: str, command: list[str], port: int, env: dict[str, str]) -> Fanout:
    with web_server(command, port, env) as pid, child(python("-m", "benchmarks.swarm", str(port))) as swarm:
        before = resident_kb(pid)
        swarm.ask({"open": SOCKETS, "paths": ["/ws/1"]})
        kb = (resident_kb(pid) - before) / SOCKETS
        for _ in range(EVENTS):
            swarm.ask({"publish": f'{{"type":"effectiveness_update","t":{time.monotonic_ns()},"pad":"{PAD}"}}'})
            time.sleep(GAP)
        found = swarm.ask({"collect": SOCKETS * EVENTS, "key": "t", "seconds": 10})
    return summarise(name, [(int(start), moments) for start, moments in found.items()], SOCKETS * EVENTS, kb)


@dataclass(frozen=True)
class Clinic:
    """Our server with its publisher and its swarm, over PostgreSQL and Redis."""

    pid: int
    publisher: Process
    swarm: Process
    headers: dict[str, str]
    paths: list[str]

    def open(self, sockets: int, mute: int = 0) -> float:
        """Seconds until each was greeted."""
        command = {"open": sockets, "paths": self.paths, "headers": self.headers, "greets": True, "mute": mute}
        seconds: float = self.swarm.ask(command)["seconds"]
        return seconds

    def publish(self, which: int) -> tuple[int, int]:
        told = self.publisher.ask(which)
        return told["seq"], told["committed"]


@contextmanager
def clinic(env: dict[str, str], diagnoses: int) -> Iterator[Clinic]:
    port = free_port()
    server = python("-m", "uvicorn", "avicenna.asgi:application", "--port", str(port), *UVICORN)
    with child(python("-m", "benchmarks.clinic", str(diagnoses)), env) as publisher:
        prepared = publisher.read()
        with web_server(server, port, env) as pid, child(python("-m", "benchmarks.swarm", str(port))) as swarm:
            paths = [f"/ws/diagnoses/{pk}/?since=1" for pk in prepared["diagnoses"]]
            yield Clinic(pid, publisher, swarm, {"Authorization": f"Bearer {prepared['token']}"}, paths)


def ours(name: str, env: dict[str, str], *, mute: int = 0) -> Fanout:
    with clinic(env, 1) as running:
        before = resident_kb(running.pid)
        running.open(SOCKETS, mute)
        kb = (resident_kb(running.pid) - before) / SOCKETS
        committed = {}
        for _ in range(EVENTS):
            seq, moment = running.publish(0)
            committed[str(seq)] = moment
            time.sleep(GAP)
        expected = (SOCKETS - mute) * EVENTS
        found = running.swarm.ask({"collect": expected, "key": "seq", "seconds": 10})
    return summarise(name, [(committed[seq], found[seq]) for seq in committed if seq in found], expected, kb)


def many_diagnoses(env: dict[str, str], diagnoses: int, each: int) -> tuple[float, float]:
    """Median and 99th percentile latency (ms) when every socket of one diagnosis after another is told."""
    with clinic(env, diagnoses) as running:
        running.open(diagnoses * each)
        latencies = []
        for which in range(0, diagnoses, 5):
            _, moment = running.publish(which)
            found = running.swarm.ask({"collect": each, "key": "seq", "seconds": 5})
            arrivals = [arrival for arrivals in found.values() for arrival in arrivals]
            if len(arrivals) != each:
                raise RuntimeError(f"an event reached {len(arrivals)} sockets of {each}")
            latencies += [(arrival - moment) / 1e6 for arrival in arrivals]
    quantiles = statistics.quantiles(latencies, n=100)
    return quantiles[49], quantiles[98]


def idle(env: dict[str, str], sockets: int) -> tuple[float, float]:
    """KB per socket and handshakes per second, sockets spread over as many diagnoses as a tenth of them."""
    with clinic(env, sockets // 10) as running:
        running.open(10)
        before = resident_kb(running.pid)
        seconds = running.open(sockets)
        return (resident_kb(running.pid) - before) / sockets, sockets / seconds


def fan_out_table(rows: list[Fanout]) -> Table:
    table = Table(
        title=f"One event to {SOCKETS:,} sockets, {EVENTS} events, one server process, median of {ROUNDS} rounds"
    )
    for heading in ("server", "deliveries/s", "ratio", "p50 ms", "p99 ms", "last ms", "arrived", "KB/socket"):
        table.add_column(heading, justify="left" if heading == "server" else "right")
    for row in rows:
        table.add_row(
            row.name,
            f"{row.deliveries:,.0f}",
            f"{rows[0].deliveries / row.deliveries:.1f}×",
            f"{row.p50:.1f}",
            f"{row.p99:.1f}",
            f"{row.last:.1f}",
            f"{row.arrived:.1%}",
            f"{row.kb_per_socket:.0f}",
        )
    return table


def main() -> int:
    console = Console(width=110)
    with postgresql(settings={}) as database, redis() as cache:
        if not database or not cache:
            console.print("PostgreSQL and Redis are needed: see requirements-dev.txt.")
            return 1
        env = PRODUCTION | {
            "DATABASE_URL": database,
            "REDIS_URL": f"{cache}/0",
            "DJANGO_SETTINGS_MODULE": "avicenna.settings",
            "PYTHONWARNINGS": "ignore",
            "WEBSOCKETS_PER_USER": "1000000",
            "WEBSOCKET_HANDSHAKES_PER_MINUTE": "1000000",
        }
        return measure(console, env)


def fan_outs(env: dict[str, str]) -> list[Fanout]:
    """Ours, ours with mute clients, then the peers, the bare machine last; of each the median round."""
    port = free_port()
    uvicorn = [*python("-m", "uvicorn", "--port", str(port)), *UVICORN]
    daphne = python("-m", "daphne", "-p", str(port), "-v", "0")
    stock, sets = "benchmarks.peers.stock_channels:application", "benchmarks.peers.fastapi_sets:application"
    runs: list[Callable[[], Fanout]] = [
        partial(ours, "Avicenna on uvicorn", env),
        partial(ours, "Avicenna, 10 of them never read", env, mute=SOCKETS // 100),
        partial(peer, "stock Channels on daphne", [*daphne, stock], port, env),
        partial(peer, "stock Channels on uvicorn", [*uvicorn, stock], port, env),
        partial(peer, "FastAPI, a set per diagnosis", [*uvicorn, sets], port, env),
        partial(peer, "bare uvloop writes", python("-m", "benchmarks.peers.bare_writes", str(port)), port, env),
    ]
    rounds = [[run() for run in runs] for _ in range(ROUNDS)]
    return [sorted(same, key=lambda row: row.last)[ROUNDS // 2] for same in zip(*rounds, strict=True)]


def measure(console: Console, env: dict[str, str]) -> int:
    us, mute, daphne, stock, sets, bare = fan_outs(env)
    console.print(fan_out_table([us, mute, daphne, stock, sets, bare]))
    speed = min(1.0, bare.deliveries / REFERENCE)
    console.print(f"This machine writes {speed:.0%} of the frames of the one that the absolute figures were set on.")
    p50, p99 = many_diagnoses(env, 1_000, 10)
    console.print(f"1,000 diagnoses × 10 sockets: median {p50:.1f} ms, p99 {p99:.1f} ms from commit to socket")
    kb, handshakes = idle(env, 10_000)
    console.print(f"10,000 idle sockets: {kb:.1f} KB each, {handshakes:,.0f} handshakes/s")
    checks = {
        "≥ 45,000 deliveries/s at that machine's speed": us.deliveries >= 45_000 * speed,
        "≥ 9× stock on daphne": us.deliveries >= 9 * daphne.deliveries,
        "≥ 1× FastAPI": us.deliveries >= sets.deliveries,
        "last of 1,000 ≤ 25 ms at that machine's speed": us.last <= 25 / speed,
        "≤ 35 KB per idle socket": kb <= 35,
        "mute clients leave p99 within 1.5×": mute.p99 <= 1.5 * us.p99,
        "everything arrived": us.arrived == mute.arrived == 1.0,
    }
    missed = [name for name, reached in checks.items() if not reached]
    console.print(f"{'MISSED: ' + '; '.join(missed) if missed else 'All figures reached'} ({os.cpu_count()} cores).")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
