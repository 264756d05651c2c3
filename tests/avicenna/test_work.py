"""Work beside requests: each job as often as it is due, whatever happens to the others."""

from __future__ import annotations

from collections import Counter
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from avicenna.work import Job, work


@pytest.mark.django_db(transaction=True)
def test_each_job_is_done_as_often_as_it_is_due() -> None:
    done: Counter[str] = Counter()
    stop = Event()

    def fail_at_first() -> None:
        done["failing"] += 1
        if done["failing"] == 1:
            raise OSError

    jobs = [
        Job("failing", fail_at_first, every=600),
        Job("seldom", lambda: done.update(["seldom"]), every=600),
        Job("often", lambda: done.update(["often"])),
    ]
    thread = Thread(target=work, args=[stop, jobs])
    thread.start()
    deadline = monotonic() + 20
    while done["often"] < 3 and monotonic() < deadline:
        sleep(0.05)
    stop.set()
    thread.join(timeout=10)

    assert done["often"] >= 3
    assert (done["seldom"], done["failing"]) == (1, 2)  # what failed was tried once more
