"""What a server has loaded stays until it ends: no work for the garbage collector."""

from __future__ import annotations

import gc


def keep_what_is_loaded() -> None:
    """Once all modules are there: the collector need not look at them again, which makes everybody wait each time."""
    gc.collect()
    gc.freeze()
