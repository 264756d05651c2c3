"""`make bench-analytics`: what reading and writing cost as a clinic's history grows, beside the usual ways to build it.

Reading: every report on histories of growing size, beside the same question put to the reports themselves.
Writing: a patient's report over HTTP, with everything that hangs on it, beside a service that only stores it.
Rebuilding: the figures from nothing, then over right ones, in a process whose memory is measured.
Everything happens in a database of its own on the server. Exit code 1 when a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, field

from rich.console import Console

from benchmarks import analytics_posting, analytics_reading, analytics_rebuilding
from benchmarks.analytics_posting import Posts
from benchmarks.analytics_reading import Reading, read
from benchmarks.analytics_rebuilding import FROM_NOTHING, OVER_RIGHT_ONES, Rebuild, rebuild
from benchmarks.servers import POSTGRESQL, Process, child, own_database, python
from benchmarks.tables import Checks
from tests.run import PRODUCTION, postgresql, redis

SIZES = [10_000, 1_000_000, 10_000_000]


@dataclass
class Figures:
    readings: list[Reading] = field(default_factory=list)
    rebuilds: list[Rebuild] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    posts: dict[str, Posts] = field(default_factory=dict)

    def checks(self) -> Checks:
        reading = analytics_reading.checks(self.readings)
        rebuilding = analytics_rebuilding.checks(self.rebuilds, self.differences)
        return reading | rebuilding | analytics_posting.checks(self.posts)


def measure(console: Console, env: dict[str, str], asked: argparse.Namespace) -> Figures:
    figures = Figures()
    quiet = env | {"LOG_LEVEL": "WARNING"}
    with child(python("-m", "benchmarks.history"), quiet) as history:
        if "posts" in asked.parts:
            figures.posts = analytics_posting.measure(history, env)
            statements = analytics_posting.statements(history)
            console.print(analytics_posting.posts_table(figures.posts))
            console.print(f"One report: {len(statements)} SQL statements, BEGIN and COMMIT among them.")
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
        tables = analytics_reading.reading_table, analytics_reading.ways_table
        console.print(*(table(figures.readings) for table in tables))
    if figures.rebuilds:
        console.print(analytics_rebuilding.rebuild_table(figures.rebuilds))
    missed = [name for name, reached in figures.checks().items() if not reached]
    console.print(f"{'MISSED: ' + '; '.join(missed) if missed else 'All figures reached'} ({os.cpu_count()} cores).")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
