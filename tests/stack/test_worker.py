from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest

from benchmarks.servers import free_port, wait_for
from tests.run import ROOT
from tests.stack.stack import Stack
from tests.stack.waiting import eventually

pytestmark = pytest.mark.thorough


def test_in_a_container_of_its_own_the_worker_shows_what_it_measures_and_ends_when_told(clinic: Stack) -> None:
    port = free_port()
    opened = {"Authorization": f"Bearer {clinic.metrics_token}"}
    alone = {name: value for name, value in clinic.env.items() if name != "PROMETHEUS_MULTIPROC_DIR"}
    clinic.supervisorctl("stop", "worker")  # of several only one measures
    command = [sys.executable, "manage.py", "worker", "--metrics-port", str(port)]
    worker = subprocess.Popen(command, cwd=ROOT, env=alone, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: _answers(port), bool, within=300)
        shown = eventually(
            lambda: httpx.get(f"http://127.0.0.1:{port}/metrics", headers=opened, trust_env=False).text,
            lambda text: 'prediction_outcomes{window="7d"}' in text,
        )
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=60) == 0
    finally:
        worker.kill()
        clinic.supervisorctl("start", "worker")

    assert "prediction_outcomes" in shown


def _answers(port: int) -> bool:
    try:
        wait_for(port)
    except RuntimeError:
        return False
    return True
