"""People on the whole stack, few and for a short while; `make load` is the same with a thousand."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.run import ROOT

pytestmark = pytest.mark.thorough


def test_nobody_is_turned_away_and_every_report_is_told_of() -> None:
    if not find_spec("locust"):  # importing it here would put gevent under every test that follows
        pytest.skip("locust is not here")
    command = [sys.executable, "-m", "benchmarks.load", "--users", "20", "--rate", "5", "--time", "30s"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout

    assert re.search(r"load: [\d,]+ requests and events, 0 failed", said), said
    assert re.search(r"\| WS own report \| [1-9]", said), said
