"""`make fuzz`: requests made of the schema against the whole application, until all are sent or the time is over.

On PostgreSQL and Redis of its own where their packages are there, else on SQLite. Each request is taken back, so a seed
that failed fails again. Ends in a table; exit code 1 when an answer was wrong, when fewer requests were sent than asked
for, or when an operation never answered well to ENOUGH of them, because then little was tried of it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.run import ROOT, postgresql, redis

ENOUGH = 20_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=ENOUGH)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with ExitStack() as stack:
        database, cache = stack.enter_context(postgresql()), stack.enter_context(redis())
        tally = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="avicenna-fuzz-")))
        servers = {"DATABASE_URL": database, "TEST_REDIS_URL": cache} if database and cache else {}
        told = {
            "DEBUG": "1",
            "FUZZ_CASES": str(given.cases),
            "FUZZ_SEED": given.seed,
            "FUZZ_UNTIL": str(time.time() + given.minutes * 60),
            "FUZZ_TALLY": str(tally),
        }
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "load", "--show-capture=no", "--tb=short"]
        done = subprocess.run([*command, "tests/fuzz"], cwd=ROOT, env=os.environ | servers | told, check=False)
        by_role = {path.stem: Counter[str](json.loads(path.read_text())) for path in sorted(tally.glob("*.json"))}
    sent, silent = report(by_role)
    verdict = (
        "on PostgreSQL and Redis" if servers else "on SQLite: no PostgreSQL or no Redis for this Python and system"
    )
    print(f"{sent:,} requests, seed {given.seed}, {verdict}.")
    if silent:
        print(f"Never answered well, so hardly tried: {', '.join(silent)}")
    if sent < given.cases:
        print(f"{given.cases:,} were asked for.")
    is_tried = not silent or given.cases < ENOUGH
    return 1 if done.returncode or not is_tried or sent < given.cases else 0


def report(by_role: dict[str, Counter[str]]) -> tuple[int, list[str]]:
    """Shows how each role was answered. How many were sent, and which operations nobody got a good answer of."""
    table = Table("role", "requests", "2xx", "400", "401", "403", "404", "409", "others")
    for role, answers in by_role.items():
        codes = Counter[str]()
        for label, times in answers.items():
            code = label.rsplit(" ", 1)[1]
            codes["2xx" if code[0] == "2" else code] += times
        shown = ["2xx", "400", "401", "403", "404", "409"]
        others = codes.total() - sum(codes[code] for code in shown)
        table.add_row(role, *(f"{number:,}" for number in (codes.total(), *(codes[code] for code in shown), others)))
    Console().print(table)
    together = sum(by_role.values(), Counter[str]())
    good = {label.rsplit(" ", 1)[0] for label in together if label.rsplit(" ", 1)[1].startswith("2")}
    asked = {label.rsplit(" ", 1)[0] for label in together}
    return together.total(), sorted(asked - good)


if __name__ == "__main__":
    sys.exit(main())
