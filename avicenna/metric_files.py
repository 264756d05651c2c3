"""The files in which processes of one host that are asked for their metrics together keep their counts.

`PROMETHEUS_MULTIPROC_DIR` names their folder; without it each process counts for itself.
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import multiprocess


def begin() -> None:
    """Makes the folder, and empties it when nobody who wrote there is alive: after a full stop counts begin at nothing.

    While others are at work the files of the dead stay: a count must not go down.
    """
    if folder := _folder():
        folder.mkdir(parents=True, exist_ok=True)
        files = list(folder.glob("*.db"))
        if not any(_is_alive(_writer(file)) for file in files):
            for file in files:
                file.unlink(missing_ok=True)


def forget(pid: int) -> None:
    """What the process showed of itself, like its open sockets, is over with it."""
    if folder := _folder():
        multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def _folder() -> Path | None:
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(name) if name else None


def _writer(file: Path) -> int:
    """`counter_1234.db` → 1234."""
    return int(file.stem.rpartition("_")[2])


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
