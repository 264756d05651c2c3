"""An oracle that cannot fail proves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.chaos.oracle import Entry, Event, Gap, Opened, Reset, judge

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
ONE, TWO, THREE, FOUR = events = [Event(seq, "feedback_update", NOON) for seq in (1, 2, 3, 4)]
COMMITTED = {event.seq: event for event in events}


@pytest.mark.parametrize(
    "log",
    [
        [Opened(0), ONE, TWO, THREE, FOUR],
        [Opened(0), ONE, TWO, Opened(2), THREE, FOUR],
        [Opened(0), ONE, Gap(3), Opened(1), TWO, THREE, FOUR],
        [Opened(0), Reset(3), FOUR],
        [Opened(4)],
    ],
)
def test_a_kept_promise_passes(log: Sequence[Entry]) -> None:
    assert judge(log, COMMITTED, head=4) == []


@pytest.mark.parametrize(
    ("log", "complaint"),
    [
        ([Opened(0), ONE, TWO, FOUR], "3-3 lost"),
        ([Opened(0), ONE, TWO, TWO, THREE, FOUR], "2 again or out of order, after 2"),
        ([Opened(0), ONE, THREE, TWO, FOUR], "2 again or out of order, after 3"),
        ([Opened(0), ONE, TWO, Opened(2), TWO, THREE, FOUR], "2 again or out of order, after 2"),
        ([Opened(0), ONE, TWO, Opened(3), FOUR], "resumed after 3 though it had 2"),
        ([Opened(0), ONE, TWO, THREE], "ends at 3, committed up to 4"),
        ([Opened(0), ONE, TWO, THREE, Event(4, "reset", NOON)], "4 is not what was committed"),
        ([Opened(0), ONE, TWO, THREE, FOUR, Event(5, "feedback_update", NOON)], "5 is not what was committed"),
        ([Opened(0), ONE, TWO, Reset(1), TWO, THREE, FOUR], "reset from 2 back to 1"),
        ([Opened(0), Reset(2), FOUR], "3-3 lost"),
    ],
)
def test_a_broken_promise_is_named(log: Sequence[Entry], complaint: str) -> None:
    assert complaint in judge(log, COMMITTED, head=4)
