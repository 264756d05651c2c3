"""What a patient's report costs over HTTP, with everything that hangs on it, beside a service that only stores it."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.servers import ROOT, Process, child, free_port, python, wait_for
from benchmarks.tables import Checks, numbers
from tests.run import PRODUCTION

PATIENTS, CLIENTS, SECONDS, WARM_UP_SECONDS, ROUNDS = 64, 16, 8, 2, 3
POST_RATIO, HOT_SHARE = 1.3, 0.6
OURS, SPREAD, HOT = "Avicenna on gunicorn", "120 remedies", "one remedy"
PEERS = {"/async": "FastAPI + SQLAlchemy, async", "/sync": "FastAPI + SQLAlchemy, sync"}
FRAMEWORK = "Django REST framework alone"


@dataclass(frozen=True)
class Posts:
    """One load on one server: reports created per second, milliseconds of the server's processors for each (without
    the database's), and answers other than 201 by status."""

    rate: float
    cpu: float
    others: Counter[str]


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


def measure(history: Process, env: dict[str, str]) -> dict[str, Posts]:
    """Ours with the reports spread out, then on one remedy, then each peer and what the peers do in our framework, and
    again; of each the median round."""
    spread = [request(p) for p in history.ask({"clinic": {"patients": PATIENTS, "remedies": 120}})]
    hot = [request(p) for p in history.ask({"clinic": {"patients": PATIENTS, "remedies": 1}})]
    subprocess.run(python("-m", "benchmarks.peers.sqlalchemy_feedback"), cwd=ROOT, env=os.environ | env, check=True)
    port = free_port()
    gunicorn = ["--workers", "2", "--threads", "4", "--bind", f"127.0.0.1:{port}"]
    ours = python("-m", "gunicorn", "avicenna.wsgi:application", *gunicorn)
    framework = python("-m", "gunicorn", "benchmarks.peers.django_feedback:application", *gunicorn)
    peer = python("-m", "uvicorn", "benchmarks.peers.sqlalchemy_feedback:application", "--port", str(port))
    peer += ["--workers", "2", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    runs = {SPREAD: (ours, "/api/feedback/", spread), HOT: (ours, "/api/feedback/", hot)}
    runs |= {name: (peer, path, spread) for path, name in PEERS.items()} | {FRAMEWORK: (framework, "/django", spread)}
    rounds = [{name: post(run[0], port, env, *run[1:]) for name, run in runs.items()} for _ in range(ROUNDS)]
    measured = {}
    for name in runs:
        same = [done[name] for done in rounds]
        others = sum((one.others for one in same), Counter[str]())
        rate, cpu = (statistics.median(getattr(one, of) for one in same) for of in ("rate", "cpu"))
        measured[name] = Posts(rate, cpu, others)
    return measured


def statements(history: Process) -> list[str]:
    """What one report asks the database."""
    one = history.ask({"clinic": {"patients": 1, "remedies": 1}})[0]
    asked: list[str] = history.ask({"statements": one})
    return asked


def best_peer(posts: dict[str, Posts]) -> str:
    return max(PEERS.values(), key=lambda name: posts[name].rate)


def posts_table(posts: dict[str, Posts]) -> Table:
    title = f"Reports posted, {CLIENTS} clients, 2 workers, {SECONDS} s, median of {ROUNDS} rounds"
    table = numbers(title, "server", "created/s", "ratio", "CPU ms each", "other answers")
    reference = posts[SPREAD].rate
    for name, done in posts.items():
        others = ", ".join(f"{count}× {status}" for status, count in done.others.items()) or "none"
        shown = f"{OURS}, {name}" if name in (SPREAD, HOT) else name
        table.add_row(
            shown, f"{done.rate:,.0f}", f"{reference / max(done.rate, 0.001):.2f}×", f"{done.cpu:.1f}", others
        )
    return table


def checks(posts: dict[str, Posts]) -> Checks:
    if not posts:
        return {}
    spread, hot = posts[SPREAD].rate, posts[HOT].rate
    return {
        f"≥ {POST_RATIO}× the peer": spread >= POST_RATIO * posts[best_peer(posts)].rate,
        f"one remedy ≥ {HOT_SHARE:.0%} of many": hot >= HOT_SHARE * spread,
        "every report created": not any(done.others for done in posts.values()),
    }
