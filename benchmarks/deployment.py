"""The demonstration clinic as it would be deployed: nginx with TLS and HTTP/2, gunicorn for requests, uvicorn for
sockets, PostgreSQL, Redis, the work beside requests, DEBUG off. All on this machine, ended with the benchmark.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.servers import ROOT, UVICORN, free_port, python, wait_for, web_server
from tests.run import PRODUCTION, postgresql, redis

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  include /etc/nginx/mime.types;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  gzip on;
  gzip_proxied any;
  gzip_min_length 512;
  gzip_types application/json application/manifest+json image/svg+xml text/css text/javascript;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    location / {{ proxy_pass http://127.0.0.1:{http}; include {folder}/forwarded.conf; }}
    location /ws/ {{
      proxy_pass http://127.0.0.1:{sockets};
      include {folder}/forwarded.conf;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }}
  }}
}}
"""
FORWARDED = """
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $http_host;
proxy_set_header X-Forwarded-Proto https;
proxy_set_header X-Forwarded-For $remote_addr;
"""


class Missing(Exception):
    """What this machine would need for it."""


@dataclass(frozen=True)
class Deployment:
    """`env` is that of its processes."""

    url: str
    env: dict[str, str]


@contextmanager
def deployment(niceness: int = 0) -> Iterator[Deployment]:
    """Above 0 (up to 19) its processes go behind what measures them, not PostgreSQL and Redis. Raises `Missing`."""
    if not (nginx := shutil.which("nginx")):
        raise Missing("nginx, which ends TLS in production (on Debian: apt install nginx-light)")
    with ExitStack() as stack:
        database, cache = stack.enter_context(postgresql(settings={})), stack.enter_context(redis())
        if not database or not cache:
            raise Missing("PostgreSQL and Redis (see requirements-dev.txt)")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="avicenna-deployment-")))
        port, http, sockets = free_port(), free_port(), free_port()
        env = _environment(database, f"{cache}/0", port)
        _prepare(env)
        nice = ["nice", "-n", str(niceness)]
        gunicorn = python(
            "-m", "gunicorn", "avicenna.wsgi", "-b", f"127.0.0.1:{http}", "-w", "2", "--log-level", "error"
        )
        stack.enter_context(web_server(nice + gunicorn, http, env))
        uvicorn = python("-m", "uvicorn", "avicenna.asgi:application", "--port", str(sockets), *UVICORN)
        stack.enter_context(web_server(nice + uvicorn, sockets, env))
        stack.enter_context(_running(nice + python("manage.py", "worker"), env))
        _write_nginx(folder, port, http, sockets)
        stack.enter_context(_running([*nice, nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], env))
        wait_for(port)
        yield Deployment(f"https://localhost:{port}", env)


def _environment(database: str, cache: str, port: int) -> dict[str, str]:
    return PRODUCTION | {
        "DATABASE_URL": database,
        "REDIS_URL": cache,
        "ALLOWED_HOSTS": "localhost",
        "CORS_ALLOWED_ORIGINS": f"https://localhost:{port}",
        "CSRF_TRUSTED_ORIGINS": f"https://localhost:{port}",
        "BEHIND_TLS_PROXY": "1",
        "RATELIMIT_ENABLE": "0",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "avicenna.settings",
        "PYTHONWARNINGS": "ignore",
    }


def _prepare(env: dict[str, str]) -> None:
    """The demonstration clinic has passwords where DEBUG is on only: it is filled so, and served without."""
    for command, debug in (("migrate", "0"), ("load_catalogue", "0"), ("seed_demo", "1"), ("collectstatic", "0")):
        options = ["--noinput"] if command in ("migrate", "collectstatic") else []
        arguments = python("manage.py", command, "-v0", *options)
        subprocess.run(
            arguments, cwd=ROOT, env=os.environ | env | {"DEBUG": debug}, check=True, stdout=subprocess.DEVNULL
        )


@contextmanager
def _running(command: list[str], env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _write_nginx(folder: Path, port: int, http: int, sockets: int) -> None:
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, http=http, sockets=sockets))
    (folder / "forwarded.conf").write_text(FORWARDED)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*private))
