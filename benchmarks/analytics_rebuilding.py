"""What `manage.py rebuild_analytics` takes, in a process whose memory is measured."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.servers import ROOT, python
from benchmarks.tables import Checks, numbers

FROM_NOTHING, OVER_RIGHT_ONES = "from nothing", "over right ones"
# What the figure allows from nothing at 10,000,000 reports; below it, in proportion.
REBUILD_SECONDS, REBUILD_REPORTS, REBUILD_GROWTH = 300.0, 10_000_000, 1.25
# Beyond this it is ended: it must not take the machine with it.
REBUILD_PATIENCE, REBUILD_BYTES = 1_200.0, 8 * 1024**3


@dataclass(frozen=True)
class Rebuild:
    size: int
    start: str
    seconds: float
    megabytes: float
    failed: str = ""


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


def rebuild_table(rebuilds: list[Rebuild]) -> Table:
    table = numbers("rebuild_analytics", "reports", "figures", "seconds", "µs per report", "peak MB", "ended")
    for done in rebuilds:
        cells = [f"{done.size:,}", done.start, f"{done.seconds:.1f}", f"{done.seconds / done.size * 1e6:.0f}"]
        table.add_row(*cells, f"{done.megabytes:.0f}", done.failed or "well")
    return table


def checks(rebuilds: Sequence[Rebuild], differences: Sequence[str]) -> Checks:
    if not rebuilds:
        return {}
    done = [rebuilt for rebuilt in rebuilds if rebuilt.start == FROM_NOTHING]
    last, before = done[-1], done[-2:][0]
    allowed = REBUILD_SECONDS * max(last.size / REBUILD_REPORTS, 0.1)
    return {
        "the figures are those of a loop over the reports": not differences,
        "every rebuild ended well": not any(rebuilt.failed for rebuilt in rebuilds),
        f"rebuilt in ≤ {allowed:.0f} s": last.seconds <= allowed,
        "memory of the rebuild flat": last.megabytes <= REBUILD_GROWTH * before.megabytes,
    }
