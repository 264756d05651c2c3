"""`make run` and `make demo`, as processes of their own on a database of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]


def environment(**changes: str) -> dict[str, str]:
    return os.environ | {"DEBUG": "1", "PYTHONUNBUFFERED": "1", "DATABASE_POOL_SIZE": "10"} | changes


def manage(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment(**env), capture_output=True, text=True, timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`manage.py serve` on a free port."""

    def __init__(self, database: str, output: Path) -> None:
        self.database = database
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = output
        env = environment(DATABASE_URL=database, PORT=str(self.port))
        with self.output.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
            )

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/health")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(self.output.read_text())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=15)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty database of the kind under test."""
    given = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not given.scheme.startswith("postgres"):
        yield f"sqlite:///{tmp_path_factory.mktemp('serve')}/clinic.sqlite3"
        return
    name = f"serve_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield given._replace(path=f"/{name}").geturl()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(database, tmp_path_factory.mktemp("served") / "first.log")
    try:
        started.wait(90)
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def test_it_says_where_to_look_and_how_to_sign_in(server: Server) -> None:
    said = server.output.read_text()

    assert "3 practitioners, 200 patients, 400 diagnoses" in said and " 5000 reports" in said
    assert all(word in said for word in (f"{server.url}/docs", "sara@demo.example", "avicenna-demo", "Ctrl-C"))


def test_every_figure_is_what_the_reports_say(server: Server) -> None:
    checked = manage("rebuild_analytics", "--check", DATABASE_URL=server.database)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_demonstration_walks_the_loop(server: Server) -> None:
    walked = manage("demo", "--url", server.url)

    assert walked.returncode == 0, walked.stdout + walked.stderr
    steps = [line.split("  ")[2] for line in walked.stdout.splitlines() if line.startswith("  ok")]
    assert [step.split(" #")[0].strip() for step in steps] == [
        "signed in",
        "diagnoses",
        "ranking",
        "ticket",
        "socket open",
        "feedback_update",
        "effectiveness_update",
        "feedback stored",
        "new ranking",
        "feedback withdrawn again",
        "signed out",
    ]


@pytest.mark.thorough
def test_the_demonstration_fails_where_a_step_does_not_hold(server: Server) -> None:
    walked = manage("demo", "--url", server.url, "--password", "wrong")

    assert walked.returncode == 1
    assert "the email or the password is wrong" in walked.stderr.lower()
    assert "Traceback" not in walked.stderr


@pytest.mark.thorough
def test_the_demonstration_names_a_server_that_is_not_there() -> None:
    walked = manage("demo", "--url", f"http://127.0.0.1:{free_port()}")

    assert walked.returncode == 1
    assert "no answer from" in walked.stderr


def test_a_taken_port_is_named_before_anything_is_done(server: Server, tmp_path: Path) -> None:
    database = tmp_path / "other.sqlite3"
    answer = manage("serve", DATABASE_URL=f"sqlite:///{database}", PORT=str(server.port))

    assert answer.returncode == 1
    assert f"Port {server.port}" in answer.stderr
    assert not database.exists()


def test_ctrl_c_stops_it_cleanly_and_the_data_stays(server: Server) -> None:
    """Last in this module: it ends the server the others use."""
    assert server.stop() == 0
    assert "Traceback" not in server.output.read_text()

    again = Server(server.database, server.output.with_name("second.log"))
    again.wait(30)
    assert "200 patients" not in again.output.read_text()  # nothing was seeded anew
    assert httpx.get(f"{again.url}/health/ready").json()["status"] == "ok"
    assert again.stop() == 0
