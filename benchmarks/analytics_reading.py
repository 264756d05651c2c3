"""What reading costs: every report on one size of history, beside the same question put to the reports themselves."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from benchmarks.servers import Process
from benchmarks.tables import Checks, numbers

READ_MS, READ_GROWTH = 20.0, 1.5
# Above it, to load the rows into Python takes minutes.
MOST_IN_PYTHON = 1_000_000


@dataclass(frozen=True)
class Reading:
    """One size of history. `ms` holds median and 95th percentile by report, `ways` milliseconds by way of asking."""

    size: int
    ms: dict[str, tuple[float, float]]
    ways: dict[str, float]
    agree: bool


def read(history: Process, size: int) -> Reading:
    scanned = history.ask({"scan": size <= MOST_IN_PYTHON})
    return Reading(size, history.ask({"read": None}), scanned["ms"], scanned["agree"])


def reading_table(readings: list[Reading]) -> Table:
    table = numbers("Reading, ms: median (95th percentile), each call about another subject", "report")
    for reading in readings:
        table.add_column(f"{reading.size:,} reports", justify="right")
    table.add_column("largest / smallest", justify="right")
    for name in readings[0].ms:
        cells = ["{:.1f} ({:.1f})".format(*reading.ms[name]) for reading in readings]
        table.add_row(name, *cells, f"{growth(readings, name):.2f}×")
    return table


def growth(readings: list[Reading], name: str) -> float:
    return readings[-1].ms[name][0] / readings[0].ms[name][0]


def ways_table(readings: list[Reading]) -> Table:
    table = numbers("How every remedy does in the window, ms (times the rollups)", "way")
    for reading in readings:
        table.add_column(f"{reading.size:,} reports", justify="right")
    for way, name in (
        ("rollups", "rollups"),
        ("sql", "GROUP BY over the reports"),
        ("python", "rows read into Python"),
    ):
        cells = [
            f"{reading.ways[way]:,.1f} ({reading.ways[way] / reading.ways['rollups']:,.0f}×)"
            if way in reading.ways
            else "not tried"
            for reading in readings
        ]
        table.add_row(name, *cells)
    return table


def checks(readings: list[Reading]) -> Checks:
    if not readings:
        return {}
    first, last = readings[0], readings[-1]
    return {
        f"each report ≤ {READ_MS:.0f} ms": all(median <= READ_MS for median, _ in last.ms.values()),
        f"each within {READ_GROWTH}× of {first.size:,}": all(growth(readings, n) <= READ_GROWTH for n in last.ms),
        "rollups and reports agree": all(reading.agree for reading in readings),
    }
