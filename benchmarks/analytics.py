"""`make bench-analytics`: what reading and writing cost as a clinic's history grows, beside the usual ways to build it.

Reading: every report on histories of growing size, beside the same question put to the reports themselves.
Writing: a patient's report over HTTP, with everything that hangs on it, beside a service that only stores it.
Rebuilding: the figures from nothing, then over right ones, in a process whose memory is measured.
Everything happens in a database of its own on the server. Exit code 1 when a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from rich.console import Console
from rich.table import Table

from benchmarks.servers import POSTGRESQL, ROOT, Process, child, free_port, python, wait_for
from tests.run import PRODUCTION, postgresql, redis

SIZES = [10_000, 1_000_000, 10_000_000]
READ_MS, READ_GROWTH = 20.0, 1.5
# Above it, to load the rows into Python takes minutes.
MOST_IN_PYTHON = 1_000_000

PATIENTS, CLIENTS, SECONDS, WARM_UP_SECONDS, ROUNDS = 64, 16, 8, 2, 3
POST_RATIO, HOT_SHARE = 1.3, 0.6
OURS, SPREAD, HOT = "Avicenna on gunicorn", "120 remedies", "one remedy"
PEERS = {"/async": "FastAPI + SQLAlchemy, async", "/sync": "FastAPI + SQLAlchemy, sync"}
DATABASE = "avicenna_benchmark"

FROM_NOTHING, OVER_RIGHT_ONES = "from nothing", "over right ones"
# What the figure allows from nothing at 10,000,000 reports; below it, in proportion.
REBUILD_SECONDS, REBUILD_REPORTS, REBUILD_GROWTH = 300.0, 10_000_000, 1.25
# Beyond this it is ended: it must not take the machine with it.
REBUILD_PATIENCE, REBUILD_BYTES = 1_200.0, 8 * 1024**3

Checks = dict[str, bool]


@dataclass(frozen=True)
class Reading:
    """One size of history. `ms` holds median and 95th percentile by report, `ways` milliseconds by way of asking."""

    size: int
    ms: dict[str, tuple[float, float]]
    ways: dict[str, float]
    agree: bool


@dataclass(frozen=True)
class Posts:
    """One load on one server: reports created per second, milliseconds of the server's processors for each (without
    the database's), and answers other than 201 by status."""

    rate: float
    cpu: float
    others: Counter[str]


@dataclass(frozen=True)
class Rebuild:
    size: int
    start: str
    seconds: float
    megabytes: float
    failed: str = ""


@dataclass
class Figures:
    readings: list[Reading] = field(default_factory=list)
    rebuilds: list[Rebuild] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    posts: dict[str, Posts] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)


def read(history: Process, size: int) -> Reading:
    scanned = history.ask({"scan": size <= MOST_IN_PYTHON})
    return Reading(size, history.ask({"read": None}), scanned["ms"], scanned["agree"])


def rebuild(env: dict[str, str], size: int, start: str) -> Rebuild:
    """`manage.py rebuild_analytics` in a process of its own."""
    started = time.monotonic()
    command = subprocess.Popen(
        python("manage.py", "rebuild_analytics"),
        cwd=ROOT,
        env=os.environ | env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    resource.prlimit(command.pid, resource.RLIMIT_AS, (REBUILD_BYTES, REBUILD_BYTES))
    ended, status, usage = 0, 0, None
    while not ended:
        time.sleep(0.05)
        ended, status, usage = os.wait4(command.pid, os.WNOHANG)
        if not ended and time.monotonic() - started > REBUILD_PATIENCE:
            command.kill()
    command.returncode = os.waitstatus_to_exitcode(status)
    assert usage
    failed = f"exit {command.returncode}" if command.returncode else ""
    return Rebuild(size, start, time.monotonic() - started, usage.ru_maxrss / 1024, failed)


@contextmanager
def workers(command: list[str], port: int, env: dict[str, str]) -> Iterator[int]:
    """The process id of a server with several processes, which is asked to end so that it ends the others."""
    server = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield server.pid
    finally:
        server.terminate()
        server.wait(timeout=30)


def cpu_seconds(pid: int) -> float:
    """Of a process and those that it started, until now."""
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK") + sum(cpu_seconds(int(started)) for started in children)


def post(server: list[str], port: int, env: dict[str, str], path: str, requests: list[dict[str, Any]]) -> Posts:
    with workers(server, port, env) as pid, child(python("-m", "benchmarks.posts", str(port))) as clients:
        command = {"path": path, "requests": requests, "clients": CLIENTS}
        clients.ask(command | {"seconds": WARM_UP_SECONDS})  # connections, prepared statements, imports
        before = cpu_seconds(pid)
        done = clients.ask(command | {"seconds": SECONDS})
        spent = cpu_seconds(pid) - before
    answers = Counter(done["answers"])
    created = answers.pop("201", 0)
    return Posts(created / done["seconds"], spent / max(created, 1) * 1000, answers)


def request(patient: dict[str, str]) -> dict[str, Any]:
    headers = {
        "Host": PRODUCTION["ALLOWED_HOSTS"],
        "X-Forwarded-Proto": "https",
        "Authorization": f"Bearer {patient['token']}",
    }
    said = {"recommendation": patient["recommendation"], "rating": 4, "symptom_improvement": 3, "comment": "Better."}
    return {"headers": headers, "body": said}


def posts(history: Process, env: dict[str, str], figures: Figures) -> None:
    """Ours with the reports spread out, then on one remedy, then each peer, and again; of each the median round."""
    spread = [request(p) for p in history.ask({"clinic": {"patients": PATIENTS, "remedies": 120}})]
    hot = [request(p) for p in history.ask({"clinic": {"patients": PATIENTS, "remedies": 1}})]
    one = history.ask({"clinic": {"patients": 1, "remedies": 1}})[0]
    figures.statements = history.ask({"statements": one})
    subprocess.run(python("-m", "benchmarks.peers.sqlalchemy_feedback"), cwd=ROOT, env=os.environ | env, check=True)
    port = free_port()
    ours = python("-m", "gunicorn", "avicenna.wsgi:application", "--workers", "2", "--threads", "4")
    ours += ["--bind", f"127.0.0.1:{port}"]
    peer = python("-m", "uvicorn", "benchmarks.peers.sqlalchemy_feedback:application", "--port", str(port))
    peer += ["--workers", "2", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    runs = {SPREAD: (ours, "/api/feedback/", spread), HOT: (ours, "/api/feedback/", hot)}
    runs |= {name: (peer, path, spread) for path, name in PEERS.items()}
    rounds = [{name: post(run[0], port, env, *run[1:]) for name, run in runs.items()} for _ in range(ROUNDS)]
    for name in runs:
        same = [done[name] for done in rounds]
        others = sum((one.others for one in same), Counter[str]())
        rate, cpu = (statistics.median(getattr(one, of) for one in same) for of in ("rate", "cpu"))
        figures.posts[name] = Posts(rate, cpu, others)


def best_peer(figures: Figures) -> str:
    return max(PEERS.values(), key=lambda name: figures.posts[name].rate)


def reading_table(readings: list[Reading]) -> Table:
    table = _table("Reading, ms: median (95th percentile), each call about another subject", "report")
    for reading in readings:
        table.add_column(f"{reading.size:,} reports", justify="right")
    table.add_column("largest / smallest", justify="right")
    for name in readings[0].ms:
        cells = ["{:.1f} ({:.1f})".format(*reading.ms[name]) for reading in readings]
        table.add_row(name, *cells, f"{growth(readings, name):.2f}×")
    return table


def growth(readings: list[Reading], name: str) -> float:
    return readings[-1].ms[name][0] / readings[0].ms[name][0]


def ways_table(readings: list[Reading]) -> Table:
    table = _table("How every remedy does in the window, ms (times the rollups)", "way")
    for reading in readings:
        table.add_column(f"{reading.size:,} reports", justify="right")
    for way, name in (
        ("rollups", "rollups"),
        ("sql", "GROUP BY over the reports"),
        ("python", "rows read into Python"),
    ):
        cells = [
            f"{reading.ways[way]:,.1f} ({reading.ways[way] / reading.ways['rollups']:,.0f}×)"
            if way in reading.ways
            else "not tried"
            for reading in readings
        ]
        table.add_row(name, *cells)
    return table


def posts_table(figures: Figures) -> Table:
    title = f"Reports posted, {CLIENTS} clients, 2 workers, {SECONDS} s, median of {ROUNDS} rounds"
    table = _table(title, "server", "created/s", "ratio", "CPU ms each", "other answers")
    reference = figures.posts[SPREAD].rate
    for name, done in figures.posts.items():
        others = ", ".join(f"{count}× {status}" for status, count in done.others.items()) or "none"
        shown = f"{OURS}, {name}" if name in (SPREAD, HOT) else name
        table.add_row(
            shown, f"{done.rate:,.0f}", f"{reference / max(done.rate, 0.001):.2f}×", f"{done.cpu:.1f}", others
        )
    return table


def rebuild_table(rebuilds: list[Rebuild]) -> Table:
    table = _table("rebuild_analytics", "reports", "figures", "seconds", "µs per report", "peak MB", "ended")
    for done in rebuilds:
        cells = [f"{done.size:,}", done.start, f"{done.seconds:.1f}", f"{done.seconds / done.size * 1e6:.0f}"]
        table.add_row(*cells, f"{done.megabytes:.0f}", done.failed or "well")
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title)
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table


def checks(figures: Figures) -> Checks:
    return _of_readings(figures.readings) | _of_rebuilds(figures) | _of_posts(figures)


def _of_readings(readings: list[Reading]) -> Checks:
    if not readings:
        return {}
    first, last = readings[0], readings[-1]
    return {
        f"each report ≤ {READ_MS:.0f} ms": all(median <= READ_MS for median, _ in last.ms.values()),
        f"each within {READ_GROWTH}× of {first.size:,}": all(growth(readings, n) <= READ_GROWTH for n in last.ms),
        "rollups and reports agree": all(reading.agree for reading in readings),
    }


def _of_rebuilds(figures: Figures) -> Checks:
    if not figures.rebuilds:
        return {}
    done = [rebuilt for rebuilt in figures.rebuilds if rebuilt.start == FROM_NOTHING]
    last, before = done[-1], done[-2:][0]
    allowed = REBUILD_SECONDS * max(last.size / REBUILD_REPORTS, 0.1)
    return {
        "the figures are those of a loop over the reports": not figures.differences,
        "every rebuild ended well": not any(rebuilt.failed for rebuilt in figures.rebuilds),
        f"rebuilt in ≤ {allowed:.0f} s": last.seconds <= allowed,
        "memory of the rebuild flat": last.megabytes <= REBUILD_GROWTH * before.megabytes,
    }


def _of_posts(figures: Figures) -> Checks:
    if not figures.posts:
        return {}
    spread, hot = figures.posts[SPREAD].rate, figures.posts[HOT].rate
    return {
        f"≥ {POST_RATIO}× the peer": spread >= POST_RATIO * figures.posts[best_peer(figures)].rate,
        f"one remedy ≥ {HOT_SHARE:.0%} of many": hot >= HOT_SHARE * spread,
        "every report created": not any(done.others for done in figures.posts.values()),
    }


def measure(console: Console, env: dict[str, str], asked: argparse.Namespace) -> Figures:
    figures = Figures()
    quiet = env | {"LOG_LEVEL": "WARNING"}
    with child(python("-m", "benchmarks.history"), quiet) as history:
        if "posts" in asked.parts:
            posts(history, env, figures)
            console.print(posts_table(figures))
            console.print(f"One report: {len(figures.statements)} SQL statements, BEGIN and COMMIT among them.")
        for size in asked.sizes if {"reading", "rebuild"} & set(asked.parts) else []:
            measure_history(console, quiet, asked, history, size, figures)
    return figures


def measure_history(
    console: Console, env: dict[str, str], asked: argparse.Namespace, history: Process, size: int, figures: Figures
) -> None:
    """The clinic's own rebuild makes the figures that are read, as well."""
    seconds = history.ask({"load": size})
    figures.rebuilds.append(rebuild(env, size, FROM_NOTHING))
    rows = history.ask({"tidy": None})
    told = "{rollups:,} rollups, {subject_patients:,} subject and patient".format(**rows)
    console.print(
        f"{size:,} reports loaded in {seconds:,.0f} s, rebuilt in {figures.rebuilds[-1].seconds:,.0f}: {told}."
    )
    if "rebuild" in asked.parts:
        figures.rebuilds.append(rebuild(env, size, OVER_RIGHT_ONES))
    if size <= SIZES[0]:
        figures.differences += (wrong := history.ask({"check": None}))
        for difference in wrong[:5]:
            console.print(f"wrong: {difference}")
    if "reading" in asked.parts:
        figures.readings.append(read(history, size))


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """Its address; the clinic that may live on the server is left alone."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield urlsplit(server)._replace(path=f"/{DATABASE}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes",
        type=lambda text: sorted(int(size) for size in text.split(",")),
        default=SIZES,
        help="reports, by comma; the smallest and the largest are compared",
    )
    parts = ["posts", "reading", "rebuild"]
    parser.add_argument("--parts", type=lambda text: text.split(","), default=parts, help="of posts,reading,rebuild")
    return parser.parse_args()


def main() -> int:
    asked, console = arguments(), Console(width=120)
    with postgresql(POSTGRESQL) as server, redis() as cache:
        if not server or not cache:
            console.print("PostgreSQL and Redis are needed: see requirements-dev.txt.")
            return 1
        with own_database(server) as database:
            env = PRODUCTION | {
                "DATABASE_URL": database,
                "REDIS_URL": f"{cache}/0",
                "DJANGO_SETTINGS_MODULE": "avicenna.settings",
                "PYTHONWARNINGS": "ignore",
                "BEHIND_TLS_PROXY": "1",
                "RATELIMIT_ENABLE": "0",
                "ACCESS_TOKEN_MINUTES": "60",
            }
            figures = measure(console, env, asked)
    if figures.readings:
        console.print(reading_table(figures.readings), ways_table(figures.readings))
    if figures.rebuilds:
        console.print(rebuild_table(figures.rebuilds))
    missed = [name for name, reached in checks(figures).items() if not reached]
    console.print(f"{'MISSED: ' + '; '.join(missed) if missed else 'All figures reached'} ({os.cpu_count()} cores).")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
