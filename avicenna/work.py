"""Work beside requests: what is due is done in rounds, by one process at a time on all hosts of a database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

from django.db import close_old_connections, connection

from avicenna.locks import only_one
from avicenna.metrics import work_done, work_duration, work_failures, work_period

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """`do` may be killed at any time and be called again, `every` so many seconds."""

    name: str
    do: Callable[[], object]
    every: float = PAUSE_SECONDS


def work(stop: Event, jobs: Sequence[Job]) -> None:
    """Round after round until `stop` is set, each job in a thread of its own: none waits for another."""
    threads = [Thread(target=_rounds, args=[stop, job], name=job.name, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _rounds(stop: Event, job: Job) -> None:
    """What failed is tried again soon."""
    pause = 0.0
    work_period.labels(job.name).set(job.every)
    while not stop.wait(pause):
        close_old_connections()
        pause = job.every if _is_done(job) else PAUSE_SECONDS
    connection.close()


def _is_done(job: Job) -> bool:
    """By somebody: also when another process is at it."""
    try:
        with only_one(job.name) as alone:
            if alone:
                with work_duration.labels(job.name).time():
                    job.do()
                work_done.labels(job.name).set_to_current_time()
    except Exception:  # the database, mostly, in whichever words its driver has: the next round tries again
        work_failures.labels(job.name).inc()
        logger.warning("work beside requests failed, trying again: %s", job.name, exc_info=True)
        connection.close()
        return False
    return True
