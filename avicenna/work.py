"""Work beside requests: what is due is done in rounds, by one process at a time on all hosts of a database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic

from django.db import close_old_connections, connection

from avicenna.locks import only_one

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """`do` may be killed at any time and be called again; `every` so many seconds, each round when 0."""

    name: str
    do: Callable[[], object]
    every: float = 0.0


def work(stop: Event, jobs: Sequence[Job]) -> None:
    """Round after round until `stop` is set; what failed is tried again in the next and holds up nothing else."""
    due = {job.name: 0.0 for job in jobs}
    while not stop.wait(PAUSE_SECONDS):
        close_old_connections()
        for job in jobs:
            if monotonic() >= due[job.name] and _is_done(job):
                due[job.name] = monotonic() + job.every
    connection.close()


def _is_done(job: Job) -> bool:
    """By somebody: also when another process is at it."""
    try:
        with only_one(job.name) as alone:
            if alone:
                job.do()
    except Exception:  # the database, mostly, in whichever words its driver has: the next round tries again
        logger.warning("work beside requests failed, trying again: %s", job.name, exc_info=True)
        connection.close()
        return False
    return True
