"""What a prediction costs the server, on PostgreSQL with a history: one diagnosis, twenty at once, kept and not kept.

`python -m benchmarks.serving` prints a table. Everything happens in a database of its own on the server. Exit code 1
when a figure is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.analytics import own_database
from benchmarks.servers import POSTGRESQL, ROOT, child, python
from tests.run import PRODUCTION, postgresql, redis

REPORTS = 100_000
# What each may take, in milliseconds; the others are shown beside them.
TO_REACH = {"one": 10.0, "batch": 50.0, "one, kept": 2.0}
NAMES = {
    "who am I": "GET /api/me, for comparison: sign-in and one row",
    "one": "one diagnosis, after an event in it",
    "one, kept": "one diagnosis, kept",
    "one, nothing kept": "one diagnosis, with an empty cache",
    "batch": "20 diagnoses, after an event in each",
    "batch, kept": "20 diagnoses, kept",
    "batch, nothing kept": "20 diagnoses, with an empty cache",
    "optimize": "optimize, after an event",
}

# Method → what was asked → median, 95th percentile and the server's own processor time, in milliseconds.
Figures = dict[str, dict[str, tuple[float, float, float]]]


def measure(env: dict[str, str], reports: int = REPORTS) -> Figures:
    """Loads a history into the database that `env` names and asks for predictions about it."""
    quiet = env | {"LOG_LEVEL": "WARNING"}
    with child(python("-m", "benchmarks.history"), quiet) as history:
        history.ask({"load": reports})
        rebuild = python("manage.py", "rebuild_analytics")
        subprocess.run(rebuild, cwd=ROOT, env=os.environ | quiet, check=True, stdout=subprocess.DEVNULL)
        history.ask({"tidy": None})
    with child(python("-m", "benchmarks.rankings"), quiet) as rankings:
        found: Figures = rankings.read()
    return found


def table(figures: Figures, reports: int = REPORTS) -> Table:
    shown = Table(title=f"Predictions on {reports:,} reports, ms: median (95th percentile), processor of the server")
    shown.add_column("asked")
    for method in figures:
        shown.add_column(f"by {method}", justify="right")
    shown.add_column("to reach", justify="right")
    for key, name in NAMES.items():
        cells = ["{:.1f} ({:.1f}), {:.1f}".format(*asked[key]) for asked in figures.values()]
        shown.add_row(name, *cells, f"{TO_REACH[key]:.0f}" if key in TO_REACH else "")
    return shown


def missed(figures: Figures) -> list[str]:
    return [
        f"{NAMES[key]}, by {method}: {asked[key][0]:.1f} ms > {limit:.0f} ms"
        for method, asked in figures.items()
        for key, limit in TO_REACH.items()
        if asked[key][0] > limit
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=REPORTS)
    asked, console = parser.parse_args(), Console(width=140)
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
                "ACCESS_TOKEN_MINUTES": "60",
            }
            figures = measure(env, asked.reports)
    console.print(table(figures, asked.reports))
    slow = missed(figures)
    console.print(f"{'MISSED: ' + '; '.join(slow) if slow else 'All figures reached'} ({os.cpu_count()} cores).")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
