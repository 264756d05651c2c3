"""What a prediction costs the server, on PostgreSQL with a history: one diagnosis or twenty, kept or not."""

from __future__ import annotations

import os
import subprocess

from rich.console import Console
from rich.table import Table

from benchmarks.servers import POSTGRESQL, ROOT, child, own_database, python
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


def ask(env: dict[str, str]) -> Figures:
    """Loads a history into the database that `env` names and asks for predictions about it."""
    with child(python("-m", "benchmarks.history"), env) as history:
        history.ask({"load": REPORTS})
        rebuild = python("manage.py", "rebuild_analytics")
        subprocess.run(rebuild, cwd=ROOT, env=os.environ | env, check=True, stdout=subprocess.DEVNULL)
        history.ask({"tidy": None})
    with child(python("-m", "benchmarks.rankings"), env) as rankings:
        found: Figures = rankings.read()
    return found


def table(figures: Figures) -> Table:
    shown = Table(title=f"Predictions on {REPORTS:,} reports, ms: median (95th percentile), processor of the server")
    shown.add_column("asked")
    for method in figures:
        shown.add_column(f"by {method}", justify="right")
    shown.add_column("to reach", justify="right")
    for key, name in NAMES.items():
        cells = ["{:.1f} ({:.1f}), {:.1f}".format(*asked[key]) for asked in figures.values()]
        shown.add_row(name, *cells, f"{TO_REACH[key]:.0f}" if key in TO_REACH else "")
    return shown


def reached(figures: Figures) -> dict[str, bool]:
    return {
        f"{NAMES[key]}, by {method} ≤ {limit:.0f} ms": asked[key][0] <= limit
        for method, asked in figures.items()
        for key, limit in TO_REACH.items()
    }


def measure(console: Console) -> dict[str, bool]:
    """In a database of its own on the server."""
    with postgresql(POSTGRESQL) as server, redis() as cache:
        if not server or not cache:
            console.print("serving: skipped. It needs PostgreSQL and Redis: see requirements-dev.txt.")
            return {}
        with own_database(server) as database:
            env = PRODUCTION | {
                "DATABASE_URL": database,
                "REDIS_URL": f"{cache}/0",
                "DJANGO_SETTINGS_MODULE": "avicenna.settings",
                "PYTHONWARNINGS": "ignore",
                "BEHIND_TLS_PROXY": "1",
                "ACCESS_TOKEN_MINUTES": "60",
                "LOG_LEVEL": "WARNING",
            }
            figures = ask(env)
    console.print(table(figures))
    return reached(figures)
