from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(ask: Callable[[], T], holds: Callable[[T], object], within: float = 60) -> T:
    """The first answer that does; fails with the last one that did not."""
    deadline = time.monotonic() + within
    while not holds(answer := ask()):
        assert time.monotonic() < deadline, getattr(answer, "text", answer)
        time.sleep(0.2)
    return answer
