"""Starts what a benchmark needs on this machine, and ends it by its process id."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

# What a clinic's database server with some gigabytes of memory is given; the rest as PostgreSQL comes.
POSTGRESQL = {
    "shared_buffers": "1GB",
    "effective_cache_size": "4GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
}

DATABASE = "avicenna_benchmark"

ROOT = Path(__file__).resolve().parent.parent
UVICORN = ["--loop", "uvloop", "--backlog", "4096", "--log-level", "warning", "--ws", "websockets-sansio"]
UVICORN += ["--ws-max-size", "131072", "--ws-per-message-deflate", "false", "--no-access-log"]


class Process:
    """A child that is spoken to in JSON lines."""

    def __init__(self, command: list[str], env: dict[str, str] | None = None) -> None:
        self.child = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | (env or {}), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, command: object) -> Any:
        assert self.child.stdin
        self.child.stdin.write(f"{json.dumps(command)}\n")
        self.child.stdin.flush()
        return self.read()

    def read(self) -> Any:
        assert self.child.stdout
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"process {self.child.pid} ended with {self.child.wait()}")
        return json.loads(line)

    def end(self) -> None:
        self.child.kill()
        self.child.wait()


@contextmanager
def child(command: list[str], env: dict[str, str] | None = None) -> Iterator[Process]:
    started = Process(command, env)
    try:
        yield started
    finally:
        started.end()


@contextmanager
def web_server(command: list[str], port: int, env: dict[str, str]) -> Iterator[int]:
    """Yields the process id once the port answers."""
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield server.pid
    finally:
        server.kill()
        server.wait()


@contextmanager
def own_database(server: str) -> Iterator[str]:
    """Its address; the clinic that may live on the server is left alone."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield urlsplit(server)._replace(path=f"/{DATABASE}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def wait_for(port: int) -> None:
    for _ in range(1200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers on port {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise RuntimeError(f"no memory figure for process {pid}")
