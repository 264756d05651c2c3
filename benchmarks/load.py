"""`make load USERS=1000 RATE=50 TIME=2m`: people who use the clinic, and how it bears them.

Starts the whole stack, or takes one that runs: `URL=https://…` with `ACCOUNTS=file`, which holds what
`python -m benchmarks.load_clinic` printed there. Its limits must be out of the way as below, because everybody
comes from one address here. Prints a table and one line; exit code 1 when anything failed or events were late.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT_OF_THE_WAY = {
    "RATELIMIT_ENABLE": "0",
    "WEBSOCKET_HANDSHAKES_PER_MINUTE": "1000000",
    "ACCESS_TOKEN_MINUTES": "120",
    "LOG_LEVEL": "WARNING",
}
# Of events, in milliseconds: 19 of 20.
EVENT_MS = 250.0
SHOWN = ("50%", "95%", "99%")


@dataclass(frozen=True)
class Row:
    kind: str
    name: str
    count: int
    failed: int
    per_second: float
    milliseconds: tuple[float, ...]

    @property
    def line(self) -> str:
        times = " | ".join(f"{value:,.0f}" for value in self.milliseconds)
        return f"| {self.kind} {self.name} | {self.count:,} | {self.failed:,} | {self.per_second:.1f} | {times} |"


@contextmanager
def target(given: argparse.Namespace, folder: Path) -> Iterator[dict[str, str]]:
    """What locust needs to know of the servers."""
    if given.url:
        yield {"LOCUST_HOST": given.url, "LOAD_ACCOUNTS": str(Path(given.accounts).resolve())}
        return
    from tests.stack.stack import stack

    with stack(**OUT_OF_THE_WAY) as clinic:
        accounts = folder / "accounts.jsonl"
        seed(given.users, given.signing_in, clinic.env, accounts)
        yield {
            "LOCUST_HOST": clinic.url,
            "LOAD_ACCOUNTS": str(accounts),
            "LOAD_CERTIFICATE": str(clinic.certificate),
        }


def seed(users: int, signing_in: float, env: dict[str, str], file: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.load_clinic", str(users), str(signing_in)]
    with file.open("w") as accounts:
        subprocess.run(command, cwd=ROOT, env=env, stdout=accounts, check=True)


def run(given: argparse.Namespace, env: dict[str, str], folder: Path) -> list[Row]:
    options = f"--headless --users {given.users} --spawn-rate {given.rate} --run-time {given.time} --only-summary"
    command = [sys.executable, "-m", "locust", "-f", "benchmarks/locustfile.py", *options.split()]
    command += ["--reset-stats"] if given.steady else []
    command += [
        "--csv",
        str(folder / "load"),
        "--loglevel",
        "WARNING",
        "--exit-code-on-error",
        "0",
        "--stop-timeout",
        "5",
    ]
    with (folder / "locust.log").open("wb") as log:
        subprocess.run(command, cwd=ROOT, env=os.environ | env, stdout=log, stderr=log, check=True)
    with (folder / "load_stats.csv").open() as file:
        rows = [read(row) for row in csv.DictReader(file)]
    for failure in csv.DictReader((folder / "load_failures.csv").open()):
        print(f"failed {failure['Occurrences']} times: {failure['Method']} {failure['Name']}: {failure['Error']}")
    return rows


def read(row: dict[str, str]) -> Row:
    times = tuple(float(row[share]) if row[share] != "N/A" else 0.0 for share in SHOWN)
    return Row(
        row["Type"], row["Name"], int(row["Request Count"]), int(row["Failure Count"]), float(row["Requests/s"]), times
    )


def judge(rows: list[Row], given: argparse.Namespace) -> int:
    """Prints what was found."""
    *endpoints, together = rows
    print(f"{given.users} users, {given.rate} more each second, {given.time}:\n")
    print("| | requests | failed | a second | p50 ms | p95 ms | p99 ms |\n|---|---:|---:|---:|---:|---:|---:|")
    print("\n".join(row.line for row in sorted(endpoints, key=lambda row: (row.kind == "WS", row.name))))
    late = next((row.milliseconds[1] for row in endpoints if (row.kind, row.name) == ("WS", "event")), float("inf"))
    reached = not together.failed and late <= EVENT_MS
    print(
        f"\nload: {together.count:,} requests and events, {together.failed} failed (0 asked); "
        f"events p95 {late:.0f} ms ({EVENT_MS:.0f} asked): {'reached' if reached else 'NOT REACHED'}"
    )
    return 0 if reached else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50, help="new users a second")
    parser.add_argument("--time", default="2m")
    parser.add_argument("--url", help="of a stack that runs")
    parser.add_argument("--accounts", help="its patients; needed with --url")
    parser.add_argument("--signing-in", type=float, default=0.1, help="share of users who give their password")
    parser.add_argument("--steady", action="store_true", help="count only from when all have come")
    given = parser.parse_args()
    if given.url and not given.accounts:
        parser.error("--url needs --accounts")
    with tempfile.TemporaryDirectory(prefix="avicenna-load-") as name, target(given, Path(name)) as env:
        return judge(run(given, env, Path(name)), given)


if __name__ == "__main__":
    sys.exit(main())
