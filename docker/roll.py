"""Restarts everything of ours on this host one after the other, each once the one before it answers again.

    python docker/roll.py --supervisor      python docker/roll.py --systemd

No request fails meanwhile; sockets are closed with 1012 and come back to another process. Reads GUNICORN_PORT,
UVICORN_PORT_TENS, UVICORN_PROCESSES and ALLOWED_HOSTS, as the processes do. Exit code 1 when one does not come back:
the others are left as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

SUPERVISORD = Path(__file__).parent / "supervisor" / "supervisord.conf"
REST_MASTERS = 2

Restart = Callable[[str, int], None]


def with_supervisor(kind: str, number: int) -> None:
    name = f"{kind}:{kind}-{number}" if number else kind
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(SUPERVISORD), "restart", name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (from the two lists below)


def with_systemd(kind: str, number: int) -> None:
    unit = f"avicenna-{kind}@{number}" if number else f"avicenna-{kind}"
    subprocess.run(["systemctl", "restart", unit], check=True)  # noqa: S603, S607 (from the two lists below)


def processes() -> Iterator[tuple[str, int, str]]:
    """Kind, number, and the port on which it answers; the worker has neither of the two."""
    for number in range(1, REST_MASTERS + 1):
        yield "rest", number, os.environ["GUNICORN_PORT"]
    for number in range(1, int(os.environ["UVICORN_PROCESSES"]) + 1):
        yield "sockets", number, f"{os.environ['UVICORN_PORT_TENS']}{number}"
    yield "worker", 0, ""


def is_young(port: str, than: float) -> bool:
    """Whether a process that began less than so many seconds ago answers."""
    host = os.environ["ALLOWED_HOSTS"].split(",")[0]
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/health/live", headers={"Host": host})
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:  # noqa: S310 (this host)
            return bool(json.load(answer)["uptime_seconds"] < than)
    except OSError:
        return False


def roll(restart: Restart, patience: float, pause: float) -> str:
    """The name of a process that did not come back within `patience` seconds; empty when all did."""
    for kind, number, port in processes():
        started = time.monotonic()
        restart(kind, number)
        while port and not is_young(port, time.monotonic() - started):
            if time.monotonic() - started > patience:
                return f"{kind} {number}"
            time.sleep(0.1)
        sys.stdout.write(f"{kind} {number or ''}".strip() + f" is back after {time.monotonic() - started:.1f} s\n")
        time.sleep(pause if kind == "sockets" else 0)
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--supervisor", dest="restart", action="store_const", const=with_supervisor)
    how.add_argument("--systemd", dest="restart", action="store_const", const=with_systemd)
    parser.add_argument("--patience", type=float, default=120, help="seconds that each may take (120)")
    parser.add_argument("--pause", type=float, default=2, help="seconds for the clients of a socket server (2)")
    given = parser.parse_args()
    if lost := roll(given.restart, given.patience, given.pause):
        sys.stderr.write(f"{lost} does not answer after {given.patience:.0f} s; the rest was left as it was.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
