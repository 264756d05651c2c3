"""The whole clinic on this machine as in production, without containers.

nginx with TLS, gunicorn, uvicorn × 2 and the worker under supervisor, PostgreSQL, Redis, Prometheus: the configuration
of docker/ filled in with free ports and one folder. `python -m tests.stack` keeps it running; tests and load tests use

    with stack() as clinic:
        httpx.get(f"{clinic.url}/health/ready", verify=clinic.tls)
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.servers import free_port
from tests.run import PRODUCTION, ROOT
from tests.stack.certificate import self_signed
from tests.stack.servers import SYSTEM_PATH, Postgresql, Server, redis

DOCKER = ROOT / "docker"
SUPERVISORD = DOCKER / "supervisor" / "supervisord.conf"
HOST = "localhost"
UVICORN_PROCESSES = 2
# Seconds for one process to come up. On a quiet machine it takes three; others may be at work beside the tests.
PATIENCE = 300


class Stack:
    """`url` is nginx's; `tls` trusts its certificate; `env` is what our processes run with."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.logs = self._made("logs")
        self.run = self._made("run")
        self.http_port, self.https_port = free_port(), free_port()
        self.url = f"https://{HOST}:{self.https_port}"
        self.certificate, self._key = self_signed(folder)
        self.tls = ssl.create_default_context(cafile=str(self.certificate))
        self.metrics_token = secrets.token_urlsafe(24)
        self.postgresql = self._postgresql()
        redis_port = free_port()
        self.redis = redis(self.run, redis_port, self.logs / "redis.log")
        self.redis_url = f"redis://127.0.0.1:{redis_port}/0"
        self._redis_port = redis_port
        self.env = self._environment() | dict(settings)
        self.nginx, self.prometheus = self._nginx(), self._prometheus()
        self._supervisor = self._supervisord()

    # ── what a user of it asks ──────────────────────────────────────────────────────────────────────────────────────

    @property
    def socket_ports(self) -> list[int]:
        return [int(f"{self.env['UVICORN_PORT_TENS']}{number}") for number in self._numbers()]

    @property
    def rest_port(self) -> int:
        return int(self.env["GUNICORN_PORT"])

    @property
    def processes(self) -> dict[str, int]:
        """Process id of each that runs, by its name: `rest-1`, `sockets-2`, `worker`, `nginx`, …"""
        around = {server.name: server.pid for server in self._around() if server.is_running}
        said = self.supervisorctl("status").splitlines()
        ours = re.findall(r"^(?:\w+:)?([\w-]+)\s+RUNNING\s+pid (\d+)", "\n".join(said), re.M)
        return around | {name: int(pid) for name, pid in ours}

    def restart(self, name: str) -> None:
        """One of `processes`, gracefully; returns when it runs again."""
        if server := next((one for one in self._around() if one.name == name), None):
            server.stop()
            server.start(self._port_of(server))
            return
        kind = name.partition("-")[0]
        self.supervisorctl("restart", name if kind == name else f"{kind}:{name}")

    def roll(self) -> str:
        """docker/roll.py, as an operator calls it after an upgrade: what it said."""
        command = [sys.executable, "docker/roll.py", "--supervisor", "--patience", str(PATIENCE)]
        done = subprocess.run(command, cwd=ROOT, env=self.env, text=True, capture_output=True, timeout=6 * PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def manage(self, *command: str) -> str:
        """`manage.py …` in the environment of the stack: its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.env, text=True, capture_output=True, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def people(self, name: str, diagnoses: int) -> dict[str, Any]:
        """A practitioner's token, and so many diagnoses with their patients' tokens: see tests/chaos/clinic.py."""
        command = [sys.executable, "-m", "tests.chaos.clinic", str(diagnoses), name]
        done = subprocess.run(command, cwd=ROOT, env=self.env, text=True, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def supervisorctl(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(SUPERVISORD), *command],
            cwd=ROOT,
            env=self.env,
            text=True,
            capture_output=True,
            timeout=120,
        )
        return done.stdout

    def from_address(self, address: str) -> httpx.HTTPTransport:
        """For `client`: somebody else on this machine, to nginx."""
        return httpx.HTTPTransport(verify=self.tls, local_address=address)

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.tls, trust_env=False, timeout=15, **options)  # type: ignore[arg-type]

    # ── start and stop ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self.redis.start(self._redis_port)
        self.manage("migrate", "--verbosity=0")
        self.manage("collectstatic", "--noinput", "--verbosity=0")
        self._supervisor.start()
        self.nginx.start(self.https_port)
        self.prometheus.start()
        self.wait_until_ready()

    def wait_until_ready(self, within: float = PATIENCE) -> None:
        """Through nginx for REST; at their own doors for the socket servers."""
        deadline = time.monotonic() + within
        waiting = [f"{self.url}/health/ready", *(f"http://127.0.0.1:{port}/health/live" for port in self.socket_ports)]
        with httpx.Client(verify=self.tls, trust_env=False, timeout=10) as http:
            while waiting:
                try:
                    if http.get(waiting[0]).status_code == 200:
                        del waiting[0]
                        continue
                except httpx.TransportError:
                    pass
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{waiting[0]} is not ready\n{self._last_words()}")
                time.sleep(0.1)

    def stop(self) -> None:
        """Who asks goes before who answers."""
        for server in (self.nginx, self.prometheus, self._supervisor, self.redis, self.postgresql):
            server.stop(60)

    def _last_words(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in self.logs.glob("*.log"))

    # ── how it is put together ──────────────────────────────────────────────────────────────────────────────────────

    def _around(self) -> list[Server]:
        return [self.postgresql, self.redis, self.nginx, self.prometheus]

    def _port_of(self, server: Server) -> int | None:
        return {"redis": self._redis_port, "nginx": self.https_port}.get(server.name)

    def _numbers(self) -> range:
        return range(1, int(self.env["UVICORN_PROCESSES"]) + 1)

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def _postgresql(self) -> Postgresql:
        return Postgresql(
            self.folder / "postgresql",
            free_port(),
            DOCKER / "postgresql" / "avicenna.conf",
            self.logs / "postgresql.log",
        )

    def _environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        ours = {
            "DJANGO_SETTINGS_MODULE": "avicenna.settings",
            "PYTHONUNBUFFERED": "1",
            "ALLOWED_HOSTS": f"{HOST},127.0.0.1",
            "CORS_ALLOWED_ORIGINS": "",
            "CSRF_TRUSTED_ORIGINS": self.url,
            "DATABASE_URL": self.postgresql.url,
            "REDIS_URL": self.redis_url,
            "BEHIND_TLS_PROXY": "1",
            "METRICS_TOKEN": self.metrics_token,
            "STATIC_ROOT": str(self._made("static")),
            "PROMETHEUS_MULTIPROC_DIR": str(self._made("metrics")),
            "MPLCONFIGDIR": str(self._made("matplotlib")),
            "WEB_CONCURRENCY": "1",  # twice: there are two masters
            "AVICENNA_HOME": str(ROOT),
            "AVICENNA_RUN": str(self.run),
            "AVICENNA_LOGS": str(self.logs),
            "GUNICORN_PORT": str(free_port()),
            "UVICORN_PORT_TENS": str(_free_tens(UVICORN_PROCESSES)),
            "UVICORN_PROCESSES": str(UVICORN_PROCESSES),
        }
        return inherited | PRODUCTION | ours

    def _nginx(self) -> Server:
        certificates = {"AVICENNA_CERTIFICATE": str(self.certificate), "AVICENNA_CERTIFICATE_KEY": str(self._key)}
        values = (
            self.env
            | certificates
            | {
                "AVICENNA_NGINX_USER": "user root;" if not os.geteuid() else "",
                "AVICENNA_HOST": HOST,
                "AVICENNA_ORIGIN": self.url,
                "AVICENNA_HTTP_LISTEN": f"127.0.0.1:{self.http_port}",
                "AVICENNA_HTTPS_LISTEN": f"127.0.0.1:{self.https_port}",
                "AVICENNA_REST_SERVERS": f"server 127.0.0.1:{self.env['GUNICORN_PORT']} max_fails=0;",
                "AVICENNA_SOCKET_SERVERS": " ".join(
                    f"server 127.0.0.1:{port} max_fails=0;" for port in self.socket_ports
                ),
                "AVICENNA_STATIC": self.env["STATIC_ROOT"],
                "AVICENNA_WEBROOT": str(self._made("webroot")),
                "AVICENNA_ACCESS_LOG": str(self.logs / "nginx-access.log"),
                "AVICENNA_ERROR_LOG": str(self.logs / "nginx-error.log"),
            }
        )
        config = self.folder / "nginx.conf"
        config.write_text(filled_in(DOCKER / "nginx" / "nginx.conf.template", values))
        binary = shutil.which("nginx", path=SYSTEM_PATH)
        assert binary, "nginx is not here"
        command = [binary, "-c", str(config), "-p", str(self.run), "-g", "daemon off;"]
        return Server("nginx", command, self.logs / "nginx-start.log", stop=signal.SIGQUIT)

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

    def _supervisord(self) -> Server:
        command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(SUPERVISORD)]
        return Server("supervisord", command, self.logs / "supervisord-start.log", cwd=ROOT, env=self.env)


def filled_in(template: Path, values: Mapping[str, str]) -> str:
    """As envsubst does it: only names that begin with AVICENNA_, and each must be given."""
    return re.sub(r"\$\{(AVICENNA_\w+)\}", lambda found: values[found[1]], template.read_text())


def _free_tens(count: int) -> int:
    """The first digits of so many free ports whose last digits count from 1."""
    for tens in range(2000 + os.getpid() % 1000, 3200):
        if all(_is_free(int(f"{tens}{number}")) for number in range(1, count + 1)):
            return tens
    raise RuntimeError("no free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


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
