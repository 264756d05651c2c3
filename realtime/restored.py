"""What must change in a database that was brought back from the past.

Clients hold numbers of events that the restored database does not know, and gives out again for others. So each stream
leaps beyond any number that was ever given: whoever comes with an old one is answered by a reset, and a server process
that still runs starts over by itself.
"""

from __future__ import annotations

from diagnoses.models import Diagnosis
from realtime.models import RightsClock

# More than any diagnosis gets events between two backups; the column holds two thousand of it.
LEAP = 1_000_000


def statements() -> dict[str, str]:
    """SQL by the table it changes, for PostgreSQL and SQLite."""
    diagnoses, clock = Diagnosis._meta.db_table, RightsClock._meta.db_table
    return {
        diagnoses: f"UPDATE {diagnoses} SET head = head + {LEAP}",
        clock: f"UPDATE {clock} SET number = number + {LEAP}",
    }
