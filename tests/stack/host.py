"""One host of the clinic as in production: nginx with TLS, gunicorn, uvicorn × 2 and the worker under supervisor.

The configuration of docker/ filled in with free ports and one folder.
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
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from benchmarks.servers import free_port
from tests.run import PRODUCTION, ROOT
from tests.stack.certificate import self_signed
from tests.stack.servers import SYSTEM_PATH, Server

DOCKER = ROOT / "docker"
SUPERVISORD = DOCKER / "supervisor" / "supervisord.conf"
HOST = "localhost"
UVICORN_PROCESSES = 2
# Seconds for one process to come up. On a quiet machine it takes three; others may be at work beside the tests.
PATIENCE = 300


class Host:
    """`url` is nginx's; `tls` trusts its certificate; `env` is what our processes run with.

    `inside` is put before each command that serves here: `ip netns exec NAME`, for a machine of its own. nginx listens
    on `address`; a `certificate` comes with its key.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        database_url: str,
        redis_url: str,
        certificate: tuple[Path, Path] | None = None,
        address: str = "127.0.0.1",
        inside: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.logs = self._made("logs")
        self.run = self._made("run")
        self.address = address
        self.http_port, self.https_port = free_port(), free_port()
        self.url = f"https://{HOST}:{self.https_port}"
        self.certificate, self._key = certificate or self_signed(folder)
        self.tls = ssl.create_default_context(cafile=str(self.certificate))
        self.metrics_token = secrets.token_urlsafe(24)
        self.redis_url = redis_url
        self.env = self._environment(database_url) | dict(settings)
        self._inside = inside
        self.nginx = self._nginx()
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
            [*self._inside, sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.env,
            text=True,
            capture_output=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def people(self, name: str, diagnoses: int) -> dict[str, Any]:
        """A practitioner's token, and so many diagnoses with their patients' tokens: see tests/chaos/clinic.py."""
        command = [*self._inside, sys.executable, "-m", "tests.chaos.clinic", str(diagnoses), name]
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

    def serve(self) -> None:
        """Returns before it is ready. Tables are there."""
        self.manage("collectstatic", "--noinput", "--verbosity=0")
        self._supervisor.start()
        self.nginx.start()

    def wait_until_ready(self, within: float = PATIENCE) -> None:
        """Through nginx for REST; at their own doors for the socket servers."""
        deadline = time.monotonic() + within
        nginx = f"https://{self.address}:{self.https_port}/health/ready"
        waiting = [nginx, *(f"http://127.0.0.1:{port}/health/live" for port in self.socket_ports)]
        while waiting:
            if self._answers(waiting[0]):
                del waiting[0]
            elif time.monotonic() > deadline:
                raise RuntimeError(f"{waiting[0]} is not ready\n{self._last_words()}")
            else:
                time.sleep(0.1)

    def stop(self) -> None:
        """Who asks goes before who answers."""
        self.nginx.stop(60)
        self._supervisor.stop(60)

    def _answers(self, url: str) -> bool:
        asked = httpx.URL(url)
        if self._inside and asked.host == "127.0.0.1":
            probe = f"import urllib.request; urllib.request.urlopen({url!r}, timeout=10)"
            return not subprocess.run([*self._inside, sys.executable, "-c", probe], capture_output=True).returncode
        named = {"headers": {"Host": f"{HOST}:{asked.port}"}, "extensions": {"sni_hostname": HOST}}
        try:
            with httpx.Client(verify=self.tls, trust_env=False, timeout=10) as http:
                return http.get(asked, **named).status_code == 200  # type: ignore[arg-type]
        except httpx.TransportError:
            return False

    def _last_words(self) -> str:
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in self.logs.glob("*.log"))

    # ── how it is put together ──────────────────────────────────────────────────────────────────────────────────────

    def _around(self) -> list[Server]:
        return [self.nginx]

    def _port_of(self, server: Server) -> int | None:
        return self.https_port if server is self.nginx else None

    def _numbers(self) -> range:
        return range(1, int(self.env["UVICORN_PROCESSES"]) + 1)

    def _made(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True, parents=True)
        return folder

    def _environment(self, database_url: str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        ours = {
            "DJANGO_SETTINGS_MODULE": "avicenna.settings",
            "PYTHONUNBUFFERED": "1",
            "ALLOWED_HOSTS": f"{HOST},127.0.0.1",
            "CORS_ALLOWED_ORIGINS": "",
            "CSRF_TRUSTED_ORIGINS": self.url,
            "DATABASE_URL": database_url,
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
                "AVICENNA_HTTP_LISTEN": f"{self.address}:{self.http_port}",
                "AVICENNA_HTTPS_LISTEN": f"{self.address}:{self.https_port}",
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
        command = [*self._inside, binary, "-c", str(config), "-p", str(self.run), "-g", "daemon off;"]
        return Server("nginx", command, self.logs / "nginx-start.log", stop=signal.SIGQUIT)

    def _supervisord(self) -> Server:
        command = [*self._inside, sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(SUPERVISORD)]
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
