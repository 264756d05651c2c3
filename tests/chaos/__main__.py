"""`python -m tests.chaos --minutes 5`: every fault at random, more clients, figures at the end.

Exit code 1 when an event was lost or doubled, when somebody did not recover, or when the rollups are not what the
feedback says in the end. The seed is printed: the same seed chooses the same faults and victims, though the machine's
own timing is never twice the same.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import sys
import time

from tests.chaos.faults import KNOWN, LONG, Fault
from tests.chaos.harness import LARGE, Chaos, chaos
from tests.chaos.servers import exceptions, missing


async def run(minutes: float, seed: str, faults: list[Fault]) -> None:
    started, rng = time.monotonic(), random.Random(seed)
    async with chaos(LARGE, rng) as clinic:
        say(f"{len(clinic.watchers)} clients on {len(clinic.cases)} diagnoses after {time.monotonic() - started:.0f} s")
        until, delays = time.monotonic() + 60 * minutes, dict[str, list[float]]()
        waiting: list[Fault] = []
        while time.monotonic() < until:
            if not waiting:  # every fault once before any comes again
                waiting = rng.sample(faults, len(faults))
            await endure(clinic, waiting.pop(), delays)
        rollups = await clinic.compare_rollups()
        report(clinic, delays)
        say(rollups)


async def endure(clinic: Chaos, fault: Fault, delays: dict[str, list[float]]) -> None:
    begun = time.monotonic()
    seconds = await clinic.survive(fault)
    delays.setdefault(fault.__name__, []).append(seconds)
    say(f"{fault.__name__:<40} {time.monotonic() - begun:6.1f} s, slowest delivery {seconds:5.2f} s")


def report(clinic: Chaos, delays: dict[str, list[float]]) -> None:
    say("\nlongest from the commit of an event to the last of its clients")
    for name, seconds in sorted(delays.items(), key=lambda item: -max(item[1])):
        say(f"  {name:<40} {max(seconds):6.2f} s   in {len(seconds)} runs")
    say("\nclosed with " + ", ".join(f"{code}: {count}" for code, count in sorted(clinic.closes().items())))
    for name, count in exceptions(clinic.stack).most_common(12):
        say(f"logged {count} × {name}")
    for fault, reason in KNOWN.items():
        say(f"left out: {fault.__name__}: {reason}")
    figures = ", ".join(f"{name} {count}" for name, count in clinic.figures().items())
    say(f"\n{figures}, lost 0, doubled 0.")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--without", nargs="*", default=[], metavar="FAULT", help="names of faults to leave out")
    given = parser.parse_args()
    if missing():
        say(f"skipped: no {missing()} for this Python and system")
        return 0
    say(f"seed {given.seed}")
    try:
        faults = [fault for fault in LONG if fault not in KNOWN and fault.__name__ not in given.without]
        asyncio.run(run(given.minutes, given.seed, faults))
    except AssertionError as error:
        say(f"FAILED (seed {given.seed}): {error}")
        say("\n".join(getattr(error, "__notes__", [])))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
