from __future__ import annotations

from rich.table import Table

# What was asked → whether it was reached.
Checks = dict[str, bool]


def numbers(title: str, first: str, *others: str) -> Table:
    """A table to be filled: names in the first column, numbers in the others."""
    table = Table(title=title)
    table.add_column(first)
    for heading in others:
        table.add_column(heading, justify="right")
    return table
