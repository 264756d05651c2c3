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
    if folder := shared_folder():
        folder.mkdir(parents=True, exist_ok=True)
        files = list(folder.glob("*.db"))
        if not any(is_alive(_writer(file)) for file in files):
            for file in files:
                file.unlink(missing_ok=True)


def forget(pid: int) -> None:
    """What the process showed of itself, like its open sockets, is over with it; what it counted stays counted."""
    if folder := shared_folder():
        multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]


def forget_the_dead() -> None:
    """Those that were killed, too."""
    if folder := shared_folder():
        for pid in {_writer(file) for file in folder.glob("gauge_live*_*.db")}:
            if not is_alive(pid):
                forget(pid)


def shared_folder() -> Path | None:
    """Where the processes of one program leave their figures for whichever is asked; None: each speaks for itself."""
    name = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(name) if name else None


def is_alive(pid: int) -> bool:
    """On this host, which those that share a folder have in common: their files are named by process id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _writer(file: Path) -> int:
    """`counter_1234.db` → 1234."""
    return int(file.stem.rpartition("_")[2])
