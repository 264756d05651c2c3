"""Metrics of several processes in one folder, as gunicorn's workers keep them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from avicenna import metric_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    return tmp_path / "metrics"


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_after_a_full_stop_counts_begin_at_nothing(folder: Path, dead: int) -> None:
    metric_files.begin()
    (folder / f"counter_{dead}.db").touch()

    metric_files.begin()

    assert list(folder.iterdir()) == []


def test_while_others_are_at_work_no_count_goes_down(folder: Path, dead: int) -> None:
    metric_files.begin()
    files = {folder / f"counter_{dead}.db", folder / f"counter_{os.getpid()}.db"}
    for file in files:
        file.touch()

    metric_files.begin()

    assert set(folder.iterdir()) == files


def test_what_a_dead_process_showed_of_itself_is_over_and_what_it_counted_stays(folder: Path, dead: int) -> None:
    metric_files.begin()
    for kind in ("counter", "gauge_livesum"):
        (folder / f"{kind}_{dead}.db").touch()

    metric_files.forget(dead)

    assert [file.name for file in folder.iterdir()] == [f"counter_{dead}.db"]


def test_without_a_folder_there_is_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)

    metric_files.begin()
    metric_files.forget(1)
