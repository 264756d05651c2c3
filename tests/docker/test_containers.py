"""The containers as far as it goes without running one: the real tools read what they are made from."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.run import ROOT

DOCKER = ROOT / "docker"
BIN = Path(sys.executable).parent
SECRET_KEYS = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "METRICS_TOKEN", "DATABASE_URL")


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{BIN}:/usr/local/bin:/usr/bin")
    if not found:
        pytest.skip(f"no {name} for this system")
    return found


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """As Docker Compose understands compose.yml."""
    command = [tool("docker-compose"), "-f", str(DOCKER / "compose.yml"), "config", "--format", "json"]
    done = subprocess.run(command, env={"CLINIC_HOST": "clinic.example"}, text=True, capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_the_dockerfile_is_clean() -> None:
    done = subprocess.run([tool("hadolint"), str(DOCKER / "Dockerfile")], text=True, capture_output=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_runs_as_nobody_special_and_says_how_it_is() -> None:
    last = (DOCKER / "Dockerfile").read_text().rpartition("FROM ")[2]

    assert re.search(r"^USER [1-9]\d+", last, re.M) and "HEALTHCHECK" in last


def test_no_secret_is_baked_in_or_stands_in_the_environment(services: dict[str, Any]) -> None:
    assert "secrets" in (ROOT / ".dockerignore").read_text()
    for name in ("migrate", "rest", "sockets-1", "sockets-2", "worker"):
        environment = services[name]["environment"]
        assert all(environment[f"{key}_FILE"].startswith("/run/secrets/") for key in SECRET_KEYS)
        assert not set(SECRET_KEYS) & set(environment)


def test_each_service_is_limited_and_comes_back(services: dict[str, Any]) -> None:
    once = {"migrate", "static"}
    for name, service in services.items():
        assert "mem_limit" in service, name
        assert service["restart"] == ("no" if name in once else "unless-stopped"), name
        assert service["logging"]["options"]["max-size"] == "10m", name


def test_whoever_is_waited_for_says_when_it_is_ready(services: dict[str, Any]) -> None:
    waits = [service.get("depends_on", {}).items() for service in services.values()]
    asked = {other: how["condition"] for waited_for in waits for other, how in waited_for}

    assert asked["rest"] == asked["postgres"] == asked["redis"] == "service_healthy"
    assert asked["migrate"] == "service_completed_successfully"
    for name in ("postgres", "redis", "prometheus"):
        assert services[name]["healthcheck"]["test"]


def test_only_nginx_is_open_to_the_world(services: dict[str, Any]) -> None:
    published = {
        (name, port["published"])
        for name, service in services.items()
        for port in service.get("ports", [])
        if port.get("host_ip") != "127.0.0.1"
    }

    assert published == {("nginx", "80"), ("nginx", "443")}
    assert services["rest"]["environment"]["TRUSTED_PROXIES"] in str(services["nginx"]["networks"])


def test_nginx_is_given_everything_its_template_asks_for(services: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(AVICENNA_\w+)\}", (DOCKER / "nginx" / "nginx.conf.template").read_text()))

    assert asked <= set(services["nginx"]["environment"])


def test_prometheus_finds_every_process_of_ours(services: dict[str, Any]) -> None:
    compose = (DOCKER / "compose.yml").read_text()
    targets = set(re.findall(r'"targets": \["([\w-]+):\d+"\]', compose))

    assert targets == {name for name in services if name == "rest" or name == "worker" or name.startswith("sockets-")}
