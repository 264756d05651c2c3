"""The whole clinic on this machine as in production, without containers.

A host with nginx, gunicorn, uvicorn × 2 and the worker, and around it PostgreSQL, Redis and Prometheus.
`python -m tests.stack` keeps it running; tests and load tests use

    with stack() as clinic:
        httpx.get(f"{clinic.url}/health/ready", verify=clinic.tls)
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.servers import free_port
from tests.stack.host import DOCKER, Host
from tests.stack.servers import SYSTEM_PATH, Postgresql, Server, redis


class Stack(Host):
    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        logs = folder / "logs"
        logs.mkdir(exist_ok=True)
        self.postgresql = Postgresql(folder / "postgresql", free_port(), logs / "postgresql.log")
        self._redis_port = free_port()
        self.redis = redis(folder, self._redis_port, logs / "redis.log")
        redis_url = f"redis://127.0.0.1:{self._redis_port}/0"
        super().__init__(folder, settings, database_url=self.postgresql.url, redis_url=redis_url)
        self.prometheus = self._prometheus()

    def start(self) -> None:
        self.redis.start(self._redis_port)
        self.manage("migrate", "--verbosity=0")
        self.serve()
        self.prometheus.start()
        self.wait_until_ready()

    def stop(self) -> None:
        self.prometheus.stop(60)
        super().stop()
        for server in (self.redis, self.postgresql):
            server.stop(60)

    def _around(self) -> list[Server]:
        return [*super()._around(), self.postgresql, self.redis, self.prometheus]

    def _port_of(self, server: Server) -> int | None:
        return self._redis_port if server is self.redis else super()._port_of(server)

    def _prometheus(self) -> Server:
        folder = self._made("prometheus")
        for file in (DOCKER / "prometheus").glob("*.yml"):
            shutil.copy(file, folder)
        (folder / "metrics_token").write_text(self.metrics_token)
        targets = {"rest": self.rest_port} | {f"sockets-{n}": port for n, port in enumerate(self.socket_ports, 1)}
        (folder / "targets.json").write_text(
            json.dumps(
                [{"targets": [f"127.0.0.1:{port}"], "labels": {"process": name}} for name, port in targets.items()]
            )
        )
        self.prometheus_port = free_port()
        self.prometheus_url = f"http://127.0.0.1:{self.prometheus_port}"
        binary = shutil.which("prometheus", path=SYSTEM_PATH)
        assert binary, "prometheus is not here"
        options = [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
        ]
        return Server("prometheus", [binary, *options], self.logs / "prometheus.log", cwd=folder)


@contextmanager
def stack(folder: Path | None = None, **settings: str) -> Iterator[Stack]:
    """Ready when it is yielded, gone afterwards. `settings` are of .env.example; a given folder stays."""
    with ExitStack() as cleanup:
        if folder is None:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="avicenna-stack-")))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL, which refuses root, has its data below
        clinic = Stack(folder, settings)
        cleanup.callback(clinic.stop)
        clinic.start()
        yield clinic
