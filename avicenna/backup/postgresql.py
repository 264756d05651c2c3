"""PostgreSQL by its own tools: pg_dump writes, pg_restore and psql read, all of one installation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg
from django.conf import settings
from psycopg import pq, sql

from avicenna.backup import keyring
from avicenna.backup.format import CHUNK_BYTES, BackupError
from avicenna.backup.keyring import Keyring, StoredKey
from avicenna.backup.manifest import Table
from avicenna.identifiers import new_id

SCRATCH_PREFIX = "avicenna_verify_"
# Who uses the tables that a restore replaces has this long to go.
LOCK_TIMEOUT = "15s"
# How values are written in words, whatever a server or a role has set.
STEADY = (
    "SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; "
    "SET extra_float_digits = 1; SET xmloption = 'content'; SET statement_timeout = 0; "
    "SET idle_in_transaction_session_timeout = 0"
)
# Two halves of 64 bits, each summed: the same in whatever order the rows stand.
_FINGERPRINT = (
    "SELECT count(*)::text AS rows, "
    "coalesce(sum(('x' || substr(hash, 1, 16))::bit(64)::bigint), 0) || ':' || "
    "coalesce(sum(('x' || substr(hash, 17, 16))::bit(64)::bigint), 0) AS content "
    "FROM (SELECT encode(sha256(convert_to(whole_row::text, 'UTF8')), 'hex') AS hash FROM {} AS whole_row) AS hashed"
)
_TABLES = (
    "SELECT n.nspname, c.relname FROM pg_catalog.pg_class AS c "
    "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition "
    "AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2"
)

Name = tuple[str, str]

# A table without rows.
NOTHING = Table(rows=0, content="0:0")


class Postgresql:
    kind = "postgresql"

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        """As libpq and Django name them; what libpq does not know is left out."""
        known = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
        self._parameters = {name: str(value) for name, value in parameters.items() if name in known and value}
        self._environment = {
            variable.decode(): self._parameters[name]
            for name, variable in known.items()
            if variable and name in self._parameters
        }

    def connect(self) -> psycopg.Connection[Any]:
        try:
            connection = psycopg.connect(**self._parameters, autocommit=True)  # type: ignore[arg-type]  # by name
        except psycopg.OperationalError as error:
            raise BackupError(f"PostgreSQL does not answer: {_first_line(str(error))}") from error
        connection.execute(STEADY)
        return connection

    def contents(self) -> dict[str, int]:
        """Rows by table."""
        with self.connect() as connection:
            return {name: table.rows for name, table in _tables(connection, counted_only=True).items()}

    def fingerprint(self) -> dict[str, Table]:
        with self.connect() as connection:
            return _tables(connection)

    def keys(self) -> dict[str, StoredKey]:
        with self.connect() as connection:
            if keyring.TABLE not in {table for _, table in _names(connection)}:
                return {}
            rows = connection.execute(f"SELECT id::text, encode(secret, 'hex'), created_at::text FROM {keyring.TABLE}")
            return {row[0]: StoredKey(*row) for row in rows}

    def putting_back(self, keys: Keyring) -> list[str]:
        return list(keyring.inserting(keys, "('{id}', decode('{secret}', 'hex'), '{created_at}')"))

    @contextmanager
    def snapshot(self, folder: Path) -> Iterator[Snapshot]:
        """The database as of one moment; who writes meanwhile is not kept waiting."""
        with self.connect() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield Snapshot(self, connection)

    def restore(self, content: Iterable[bytes], expected: Mapping[str, Table], afterwards: Sequence[str]) -> None:
        """Replaces everything in one transaction, which holds only when each of the tables is as `expected`."""
        with self.connect() as connection:
            present, folder = _names(connection), self.tools(connection)
        with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as restore_errors:
            writing = self._start(folder, "psql", _PSQL, errors, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            into = _pipe(writing.stdin)
            try:
                into.write(_before(present))
                into.flush()
                self._replay(folder, content, into, errors, restore_errors)
                into.write(_after(expected, afterwards))
            except BrokenPipeError:
                pass  # psql says itself why it went
            finally:
                _close(into)
                failed = writing.wait()
            if failed:
                raise BackupError(_in_words(_said(errors) or _said(restore_errors)))

    def _replay(
        self, folder: Path, content: Iterable[bytes], into: IO[bytes], errors: IO[bytes], own_errors: IO[bytes]
    ) -> None:
        """The dump, as SQL, to psql. Whatever fails leaves psql without its COMMIT."""
        reading = self._start(folder, "pg_restore", _PG_RESTORE, own_errors, stdin=subprocess.PIPE, stdout=into)
        pipe = _pipe(reading.stdin)
        try:
            for piece in content:
                pipe.write(piece)
        except BrokenPipeError:
            pass  # said below
        finally:
            _close(pipe)
            failed = reading.wait()
        if failed:
            raise BackupError(_in_words(_said(errors) or _said(own_errors)))

    @contextmanager
    def scratch(self) -> Iterator[Postgresql]:
        """An empty database on the same server, gone afterwards. Those that killed processes left go, too."""
        name = f"{SCRATCH_PREFIX}{new_id().hex}"
        with self.connect() as connection:
            leftovers = connection.execute(_LEFTOVERS, [f"{SCRATCH_PREFIX}%"]).fetchall()
            for (left,) in leftovers:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(left)))
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
                )
            except psycopg.errors.InsufficientPrivilege as error:
                raise BackupError(
                    "The role may not create a scratch database: ALTER ROLE … CREATEDB, or name another server."
                ) from error
        try:
            yield Postgresql(self._parameters | {"dbname": name})
        finally:
            with self.connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def tools(self, connection: psycopg.Connection[Any]) -> Path:
        return installation(connection.info.server_version // 10_000)

    def run(self, folder: Path, name: str, arguments: Sequence[str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
        return self._start(folder, name, arguments, errors, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def _start(
        self, folder: Path, name: str, arguments: Sequence[str], errors: IO[bytes], **streams: Any
    ) -> subprocess.Popen[bytes]:
        # The connection comes by environment: a command line shows its passwords to everybody on the machine.
        command = [str(folder / name), *arguments]
        return subprocess.Popen(command, env=os.environ | self._environment, stderr=errors, **streams)  # noqa: S603  # ours


class Snapshot:
    def __init__(self, database: Postgresql, connection: psycopg.Connection[Any]) -> None:
        self._database = database
        self._connection = connection
        self.tables = _tables(connection)
        if keyring.TABLE in self.tables:
            self.tables[keyring.TABLE] = NOTHING
        self.version = str(connection.info.parameter_status("server_version")).split()[0]
        self.migrations = [name for (name,) in connection.execute(_MIGRATIONS)] if _is_migrated(self.tables) else []

    def content(self) -> Iterator[bytes]:
        """What pg_dump says of the same moment, compressed by it."""
        (exported,) = self._connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        arguments = [*_PG_DUMP, f"--snapshot={exported}"]
        with tempfile.TemporaryFile() as errors:
            dumping = self._database.run(self._database.tools(self._connection), "pg_dump", arguments, errors)
            pipe = _pipe(dumping.stdout)
            try:
                while piece := pipe.read(CHUNK_BYTES):
                    yield piece
            finally:
                pipe.close()  # one that is not wanted any more ends on it
                failed = dumping.wait()
            if failed:
                raise BackupError(_in_words(_said(errors)))


_PG_DUMP = ["--format=custom", "--compress=6", "--no-owner", "--no-privileges", "--no-publications"]
_PG_DUMP += ["--no-subscriptions", "--lock-wait-timeout=60s"]
_PG_DUMP += [f"--exclude-table-data=*.{keyring.TABLE}"]
_PG_RESTORE = ["--file=-", "--no-owner", "--no-privileges"]
# Terse: the details of an error are values of rows.
_PSQL = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--file=-"]
_MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"
# They do not go with the tables; those that an extension brought stay with it.
_DROP_TRIGGER_FUNCTIONS = """
DO $drop$ DECLARE one regprocedure; BEGIN
    FOR one IN
        SELECT oid FROM pg_proc AS found
        WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = found.oid AND deptype = 'e')
    LOOP EXECUTE 'DROP FUNCTION ' || one; END LOOP;
END $drop$;
"""
_LEFTOVERS = (
    "SELECT datname FROM pg_database WHERE datname LIKE %s "
    "AND NOT EXISTS (SELECT FROM pg_stat_activity AS activity WHERE activity.datname = pg_database.datname)"
)


def _is_migrated(tables: Mapping[str, Table]) -> bool:
    return "django_migrations" in tables


def _names(connection: psycopg.Connection[Any]) -> list[Name]:
    return [(str(schema), str(table)) for schema, table in connection.execute(_TABLES)]


def _tables(connection: psycopg.Connection[Any], *, counted_only: bool = False) -> dict[str, Table]:
    counted = sql.SQL("SELECT count(*)::text, '' FROM {}") if counted_only else sql.SQL(_FINGERPRINT)
    found = {}
    for schema, table in _names(connection):
        rows, content = connection.execute(counted.format(sql.Identifier(schema, table))).fetchone() or (0, "")
        found[_spoken(schema, table)] = Table(rows=int(rows), content=content)
    return found


def _spoken(schema: str, table: str) -> str:
    return table if schema == "public" else f"{schema}.{table}"


def _quoted(spoken: str) -> str:
    schema, dot, table = spoken.partition(".")
    return sql.Identifier(*((schema, table) if dot else ("public", schema))).as_string()


def _before(present: Sequence[Name]) -> bytes:
    """All that was there goes, in the transaction that brings the other."""
    lines = ["BEGIN;", f"{STEADY};", f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';"]
    if present:
        lines.append(f"DROP TABLE {', '.join(sql.Identifier(*name).as_string() for name in present)} CASCADE;")
    return "\n".join([*lines, _DROP_TRIGGER_FUNCTIONS, ""]).encode()


def _after(expected: Mapping[str, Table], afterwards: Sequence[str]) -> bytes:
    checks = [_check(name, table) for name, table in expected.items()]
    lines = [f"{STEADY};", *checks, "SET search_path = public;", *(f"{one};" for one in afterwards)]
    lines += ["ANALYZE;", "COMMIT;", ""]  # without statistics the first hours would be slow
    return "\n".join(lines).encode()


def _check(name: str, table: Table) -> str:
    query = sql.SQL(_FINGERPRINT).format(sql.SQL(_quoted(name))).as_string()
    expected = sql.Literal(f"{table.rows} {table.content}").as_string()
    message = sql.Literal(f"{name} is not what was backed up").as_string()
    return (
        f"DO $check$ BEGIN IF (SELECT found.rows || ' ' || found.content FROM ({query}) AS found) <> {expected} "
        f"THEN RAISE EXCEPTION USING MESSAGE = {message}; END IF; END $check$;"
    )


def installation(server: int) -> Path:
    """The folder with tools that fit PostgreSQL `server`: its own major version, or else the next newer one."""
    found: dict[int, Path] = {}
    for folder in _folders():
        if (version := _version(folder / "pg_dump")) is not None:
            found.setdefault(version, folder)
    fitting = [version for version in found if version >= server]
    if not fitting:
        present = f"found {', '.join(map(str, sorted(found)))}" if found else "found none"
        raise BackupError(
            f"pg_dump, pg_restore and psql of PostgreSQL {server} or newer are needed ({present}). "
            f"Install postgresql-client-{server}, or name their folder in POSTGRESQL_BIN."
        )
    return found[min(fitting)]


def _folders() -> Iterator[Path]:
    if settings.POSTGRESQL_BIN:
        yield Path(settings.POSTGRESQL_BIN)
        return
    # Debian's /usr/bin/pg_dump chooses a version by itself: the folders say which they are.
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent


def _version(program: Path) -> int | None:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603  # ours
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else None


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("The program was started without this pipe.")
    return stream


def _close(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):
        stream.close()


def _said(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace")


def _in_words(said: str) -> str:
    if "lock timeout" in said:
        return (
            "Somebody uses the database: stop the servers and the worker first. Whoever holds it did not let go within "
            f"{LOCK_TIMEOUT}."
        )
    return _first_line(said) or "A tool of PostgreSQL ended without saying why."


def _first_line(said: str) -> str:
    line = next((line.strip() for line in said.splitlines() if line.strip()), "")
    return re.sub(r"^psql:<stdin>:\d+: (ERROR: +)?", "", line)
