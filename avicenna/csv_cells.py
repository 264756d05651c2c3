"""Cells of CSV files that people open in a spreadsheet, which takes what begins like a formula for one and runs it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK = "\ufeff"  # or spreadsheets take UTF-8 for something else


def lines(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """The rows as CSV; texts are guarded, numbers stay numbers."""
    line = StringIO(newline="")
    writer = csv.writer(line)
    yield BYTE_ORDER_MARK
    for row in rows:
        writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def guarded(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
