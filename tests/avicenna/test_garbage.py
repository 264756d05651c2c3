from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.run import PRODUCTION, ROOT

ASK = "import gc; gc.disable(); import {module}; print(gc.get_freeze_count(), len(gc.get_objects()))"


@pytest.mark.parametrize("module", ["avicenna.wsgi", "avicenna.asgi"])
def test_a_server_that_has_started_leaves_the_collector_little_to_look_at(module: str) -> None:
    command = [sys.executable, "-c", ASK.format(module=module)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | PRODUCTION, check=True, capture_output=True, text=True)
    kept, looked_at = map(int, done.stdout.split())
    assert looked_at < kept / 10
