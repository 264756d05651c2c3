"""`python -m tests.stack`: the whole clinic as in production, until Ctrl-C.

`--folder` keeps database and logs for the next start; else everything lies in a temporary folder that goes with it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from threading import Event

from tests.stack.servers import missing
from tests.stack.stack import Stack, stack


def say(clinic: Stack) -> None:
    lines = {
        "Avicenna": f"{clinic.url}/",
        "API": f"{clinic.url}/docs",
        "Health": f"{clinic.url}/health/ready",
        "Prometheus": clinic.prometheus_url,
        "Certificate": f"{clinic.certificate}   (curl --cacert …)",
        "Logs": str(clinic.logs),
    }
    body = "\n".join(f"  {name:<12} {value}" for name, value in lines.items())
    processes = "\n".join(f"  {name:<12} process {pid}" for name, pid in clinic.processes.items())
    sys.stdout.write(f"\n{body}\n\n{processes}\n\n  Ctrl-C stops it.\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stack", description=__doc__)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--demo", action="store_true", help="load the catalogue and fill an empty database")
    given = parser.parse_args()
    if lacks := missing():
        sys.stderr.write(
            f"This machine has no {lacks}. On Debian: apt install nginx prometheus postgresql redis-server\n"
        )
        return 1
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    with stack(given.folder) as clinic:
        if given.demo:
            clinic.manage("load_catalogue")
            clinic.manage("seed_demo", "--if-empty")
        say(clinic)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
