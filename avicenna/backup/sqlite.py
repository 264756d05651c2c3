"""SQLite by its online backup: a copy of one moment, taken while the clinic works."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from avicenna.backup import keyring
from avicenna.backup.folder import PARTIAL_PREFIX, remove_partial
from avicenna.backup.format import CHUNK_BYTES, BackupError, Damaged
from avicenna.backup.keyring import Keyring, StoredKey
from avicenna.backup.manifest import Table, differences

PATIENCE_SECONDS = 15
_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


class Sqlite:
    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path

    def contents(self) -> dict[str, int]:
        """Rows by table; none for a file that is not there."""
        if not self.path.exists():
            return {}
        with closing(_open(self.path)) as connection:
            return {
                name: connection.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()[0]
                for name in _names(connection)
            }

    def fingerprint(self) -> dict[str, Table]:
        with closing(_open(self.path)) as connection:
            return _tables(connection)

    @contextmanager
    def snapshot(self, folder: Path) -> Iterator[Snapshot]:
        """A copy in `folder`, as large as the database, for as long as it is used."""
        if not self.path.exists():
            raise BackupError(f"There is no database at {self.path}.")
        with tempfile.TemporaryDirectory(prefix=PARTIAL_PREFIX, dir=folder) as place:
            copy = Path(place) / "copy.sqlite3"
            with closing(_open(self.path)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
                if keyring.TABLE in _names(target):
                    target.execute(f"DELETE FROM {keyring.TABLE}")
                    target.commit()
                    target.execute("VACUUM")  # what was deleted, in the copy and before, is in no page any more
            yield Snapshot(copy)

    def restore(self, content: Iterable[bytes], expected: Mapping[str, Table], afterwards: Sequence[str]) -> None:
        """Unpacked beside the database and compared with `expected`; only then, in one transaction, takes its place."""
        with self._beside() as copy:
            _unpack(content, copy)
            with closing(sqlite3.connect(copy)) as source:
                if found := expected and differences(expected, _tables(source)):
                    raise Damaged(f"What came out is not what was backed up: {found[0]}")
                for statement in afterwards:
                    source.execute(statement)
                source.commit()
                self._take(source)

    @contextmanager
    def _beside(self) -> Iterator[Path]:
        """A place on the same disk; what killed processes left there goes."""
        remove_partial(self.path.parent, self._prefix)
        with tempfile.TemporaryDirectory(prefix=self._prefix, dir=self.path.parent) as place:
            yield Path(place) / "copy.sqlite3"

    @property
    def _prefix(self) -> str:
        return f"{PARTIAL_PREFIX}{self.path.name}-"

    def _take(self, source: sqlite3.Connection) -> None:
        is_new = not self.path.exists()
        with closing(sqlite3.connect(self.path, timeout=PATIENCE_SECONDS)) as target:
            if is_new:
                os.chmod(self.path, 0o600)
            try:
                target.execute("PRAGMA synchronous = FULL")
                # A lock of its own first: the backup does not wait for one as others do.
                target.execute("BEGIN IMMEDIATE")
                target.rollback()
                source.backup(target, progress=_patient())
            except sqlite3.OperationalError as error:
                raise BackupError(f"The database cannot be written: {error}. Stop the server first.") from error

    def keys(self) -> dict[str, StoredKey]:
        with closing(_open(self.path)) as connection:
            if keyring.TABLE not in _names(connection):
                return {}
            rows = connection.execute(
                f"SELECT id, CASE WHEN secret IS NOT NULL THEN hex(secret) END, created_at FROM {keyring.TABLE}"
            )
            return {row[0]: StoredKey(*row) for row in rows}

    def putting_back(self, keys: Keyring) -> list[str]:
        return list(keyring.inserting(keys, "('{id}', X'{secret}', '{created_at}')"))

    @contextmanager
    def scratch(self) -> Iterator[Sqlite]:
        """An empty database beside this one, gone afterwards."""
        with self._beside() as path:
            yield Sqlite(path)


class Snapshot:
    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self.version = sqlite3.sqlite_version
        with closing(_open(copy)) as connection:
            self.tables = _tables(connection)
            applied = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"
            self.migrations = (
                [name for (name,) in connection.execute(applied)] if "django_migrations" in self.tables else []
            )

    def content(self) -> Iterator[bytes]:
        """The file, compressed."""
        packing = zlib.compressobj(6)
        with self._copy.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield packing.compress(piece)
        yield packing.flush()


def _patient() -> Callable[[int, int, int], None]:
    """Python would try again for ever while somebody holds the database."""
    deadline = time.monotonic() + PATIENCE_SECONDS

    def give_up(status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > deadline:
            raise sqlite3.OperationalError("somebody uses it")

    return give_up


def _unpack(content: Iterable[bytes], target: Path) -> None:
    unpacking = zlib.decompressobj()
    with target.open("wb") as file:
        os.chmod(target, 0o600)
        for piece in content:
            file.write(unpacking.decompress(piece, CHUNK_BYTES))
            while unpacking.unconsumed_tail:
                file.write(unpacking.decompress(unpacking.unconsumed_tail, CHUNK_BYTES))
        file.write(unpacking.flush())


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_SECONDS)


def _names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute(_TABLES)]


def _tables(connection: sqlite3.Connection) -> dict[str, Table]:
    return {name: _table(connection, name) for name in _names(connection)}


def _table(connection: sqlite3.Connection, name: str) -> Table:
    """Row by row; the sum of the hashes is the same in whatever order they come."""
    connection.text_factory = bytearray  # told from a blob in what is hashed
    rows = total = 0
    for row in connection.execute(f"SELECT * FROM {_quoted(name)}"):
        rows += 1
        total += int.from_bytes(sha256(repr(row).encode()).digest()[:16], "big")
    connection.text_factory = str
    return Table(rows=rows, content=f"{total % 2**128:032x}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
