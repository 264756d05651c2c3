"""Behind PgBouncer, which hands a connection from one transaction to the next, with `DATABASE_PLANS=0`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from benchmarks.servers import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
BINARY = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PgBouncer serves PostgreSQL"),
    pytest.mark.skipif(not Path(BINARY).exists(), reason="no pgbouncer on this machine"),
]
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
"""
# Sign-in, a report with all that follows, the stream over real sockets, sums, and what was shown. Not the worker, which
# holds a lock from one transaction to the next: it goes to PostgreSQL itself.
WALKED = [
    "tests/accounts/test_sign_in.py",
    "tests/feedback/test_submit.py",
    "tests/realtime/test_stream.py",
    "tests/analytics/test_rollups.py",
    "tests/predictions/test_records.py",
]


@pytest.fixture
def bouncer(tmp_path: Path) -> Iterator[str]:
    """Its address; four connections for whoever comes."""
    server = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])
    port, file = free_port(), tmp_path / "pgbouncer.ini"
    values = {"host": server["host"], "port": server.get("port", 5432), "user": server["user"]}
    file.write_text(CONFIGURATION.format(**values, listen=port))
    # It refuses to be root; PostgreSQL's socket is its owner's.
    as_whom = ["-u", Path(str(server["host"])).owner()] if os.getuid() == 0 else []
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with subprocess.Popen([BINARY, *as_whom, str(file)], stderr=(tmp_path / "log").open("wb")) as started:
        try:
            wait_for(port)
            yield f"postgresql://{server['user']}@127.0.0.1:{port}/postgres"
        finally:
            started.terminate()


def test_the_clinic_works_behind_it(bouncer: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *WALKED]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    env |= {"DATABASE_URL": bouncer, "DATABASE_PLANS": "0"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-4000:]
