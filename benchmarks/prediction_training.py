"""What `train_predictor` takes on a million reports in PostgreSQL, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass

from rich.console import Console

from benchmarks.servers import POSTGRESQL, ROOT, child, python
from tests.run import PRODUCTION, postgresql

REPORTS = 1_000_000


@dataclass(frozen=True)
class Training:
    """From the start of the process to its end, what it computed of that, and its peak memory."""

    seconds: float
    computed: float
    gigabytes: float
    said: str


def measure(console: Console, reports: int = REPORTS) -> dict[str, bool]:
    with postgresql(POSTGRESQL) as database:
        if not database:
            console.print("training: skipped. It needs PostgreSQL: see requirements-dev.txt.")
            return {}
        env = PRODUCTION | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "avicenna.settings", "REDIS_URL": ""}
        with child(python("-m", "benchmarks.history"), env) as history:
            history.ask({"load": reports})
        found = train(env)
    console.print(found.said)
    console.print(
        f"{reports:,} reports in PostgreSQL: {found.seconds:.1f} s ({found.computed:.1f} s of one core), "
        f"{found.gigabytes:.2f} GB at its peak"
    )
    return {
        f"{reports:,} reports ≤ 60 s": found.seconds <= 60,
        f"{reports:,} reports ≤ 2 GB": found.gigabytes <= 2,
    }


def train(env: dict[str, str]) -> Training:
    with tempfile.TemporaryFile("w+") as out:
        started = time.monotonic()
        process = subprocess.Popen(
            python("manage.py", "train_predictor"), cwd=ROOT, env=os.environ | env, stdout=out, text=True
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        out.seek(0)
        if status:
            raise RuntimeError(f"train_predictor ended with {os.waitstatus_to_exitcode(status)}")
        return Training(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024**2, out.read().strip())
