"""Making, proving and bringing back a backup."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import psycopg
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

import avicenna
from avicenna.backup import folder as folders
from avicenna.backup import keyring
from avicenna.backup.folder import Backup
from avicenna.backup.format import BackupError, Opener, Sealer
from avicenna.backup.keys import backup_keys
from avicenna.backup.manifest import Beside, Manifest, differences, packed, unpack
from avicenna.backup.postgresql import Postgresql
from avicenna.backup.sqlite import Sqlite
from avicenna.locks import only_one

# Hears how many bytes of a file are written, or read.
Tell = Callable[[int], None]
Database = Postgresql | Sqlite
# What keeps a backup from being made, examined or brought back: settings, keys, disks and databases.
FAILURES = (BackupError, ImproperlyConfigured, OSError, DatabaseError, psycopg.Error, sqlite3.Error)


class NotEmpty(BackupError):
    """A restore would overwrite something."""

    def __init__(self, contents: Mapping[str, int]) -> None:
        super().__init__(f"The database is not empty: {len(contents)} tables, {sum(contents.values())} rows.")
        self.contents = contents


@dataclass(frozen=True)
class Proof:
    """What restoring a backup into a scratch database showed; no differences: it is what was backed up."""

    manifest: Manifest
    differences: list[str]


def our_database() -> Database:
    """The one of DATABASE_URL."""
    if connection.vendor == "sqlite":
        return Sqlite(Path(connection.settings_dict["NAME"]))
    return Postgresql(connection.get_connection_params())


def back_up(*, folder: Path, tell: Tell) -> tuple[Backup, Beside]:
    """Writes a backup of this moment into `folder`, which is made when it is not there.

    Nothing bears a backup's name before it is whole and on the disk. Raises `BackupError`, `OSError`.
    """
    keys = backup_keys()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone("backup"):
        folders.remove_partial(folder)
        partial = folder / f"{folders.PARTIAL_PREFIX}backup"
        try:
            database, kept = our_database(), keyring.read(folder / keyring.NAME)
            manifest, digest = _write(partial, database, *next(iter(keys.items())), tell)
            backup = Backup(manifest.created_at, folder / folders.name_of(manifest.created_at))
            beside = _described(manifest, backup, partial.stat().st_size, digest, next(iter(keys)))
            described = folder / f"{folders.PARTIAL_PREFIX}description"
            described.write_text(json.dumps(beside.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")
            # Before the backup bears its name: none is without its keys.
            keyring.write(folder, keyring.merged(kept, database.keys()))
            partial.rename(backup.path)
            described.rename(backup.beside)
            folders.settle(folder)
        finally:
            folders.remove_partial(folder)
    return backup, beside


def forget_old(*, folder: Path) -> list[Backup]:
    """Removes those that have outlived their use; returns them."""
    old = folders.outlived(folders.backups(folder), timezone.now())
    for backup in old:
        folders.remove(backup)
    return old


def read_manifest(file: Path) -> Manifest:
    """What a backup says it holds; its first chunks are read, no more."""
    with file.open("rb") as opened:
        return unpack(Opener(opened, backup_keys()).chunks())[0]


def verify(*, file: Path, server: Database | None = None, tell: Tell) -> Proof:
    """Restores it into a scratch database beside ours, or on `server`, and compares every table.

    The keyring beside it must open and hold as many keys as belong to it. Raises `BackupError`, `OSError`: then it was
    not compared.
    """
    manifest = read_manifest(file)
    keyring.fitting(file.parent / keyring.NAME, manifest.keys)
    database = server or our_database()
    if manifest.database != database.kind:
        raise BackupError(f"The backup is of {manifest.database}, the database is {database.kind}.")
    with _alone("verification"), database.scratch() as scratch:
        with _content(file, tell) as content:
            scratch.restore(content, {}, [])
        return Proof(manifest, differences(manifest.tables, scratch.fingerprint()))


def restore(
    *, file: Path, keys: Path | None = None, force: bool, afterwards: Mapping[str, str], tell: Tell
) -> Manifest:
    """Puts the backup in the place of the database. `afterwards` is SQL by the table it changes.

    `keys` is the keyring, unless it is the one beside the backup: the patients' keys come out of it.

    The whole file is read and found good before the database is touched. Raises `NotEmpty` without `force`,
    `BackupError`, `OSError`; nothing was changed then.
    """
    manifest, database = read_manifest(file), our_database()
    if manifest.database != database.kind:
        raise BackupError(f"The backup is of {manifest.database}, DATABASE_URL is {database.kind}.")
    if isinstance(database, Sqlite):
        database.path.parent.mkdir(parents=True, exist_ok=True)
    contents = database.contents()
    if contents and not force:
        raise NotEmpty(contents)
    with _content(file, lambda read: None) as content:
        for _ in content:
            pass
    statements = [statement for table, statement in afterwards.items() if table in manifest.tables]
    if keyring.TABLE in manifest.tables:
        statements += database.putting_back(keyring.fitting(keys or file.parent / keyring.NAME, manifest.keys))
    with _alone("restore"), _content(file, tell) as content:
        database.restore(content, manifest.tables, statements)
    return manifest


@transaction.atomic
def go_on_after_recovery(*, afterwards: Mapping[str, str]) -> None:
    """What `restore` does besides, for a database that was brought back by other means."""
    with connection.cursor() as cursor:
        for statement in afterwards.values():
            cursor.execute(statement)


def forget_what_is_cached() -> bool:
    """What was remembered is of the database that is gone. Whether the cache could be reached."""
    try:
        cache.clear()
    except Exception:  # whatever its driver says
        return False
    return True


@contextmanager
def _alone(name: str) -> Iterator[None]:
    with only_one(name) as alone:
        if not alone:
            raise BackupError(f"Another {name} is at work.")
        yield


def _write(partial: Path, database: Database, key_id: str, key: bytes, tell: Tell) -> tuple[Manifest, str]:
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    begun_at = timezone.now()  # whatever was committed before is in it
    keys = len(database.keys())
    with os.fdopen(descriptor, "wb") as file, database.snapshot(partial.parent) as snapshot:
        manifest = Manifest(
            created_at=begun_at,
            version=avicenna.__version__,
            database=database.kind,
            database_version=snapshot.version,
            migrations=snapshot.migrations,
            tables=snapshot.tables,
            keys=keys,
        )
        hashed = Hashed(file, tell)
        sealer = Sealer(cast("BinaryIO", hashed), key_id, key)
        sealer.write(packed(manifest))
        for piece in snapshot.content():
            sealer.write(piece)
        sealer.finish()
        file.flush()
        os.fsync(file.fileno())
    return manifest, hashed.digest.hexdigest()


class Hashed:
    """A file that is only written to."""

    def __init__(self, file: BinaryIO, tell: Tell) -> None:
        self.digest = hashlib.sha256()
        self._file = file
        self._tell = tell
        self._written = 0

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.digest.update(piece)
        self._written += len(piece)
        self._tell(self._written)


def _described(manifest: Manifest, backup: Backup, size: int, digest: str, key_id: str) -> Beside:
    return Beside(
        file=backup.path.name,
        bytes=size,
        sha256=digest,
        created_at=manifest.created_at,
        version=manifest.version,
        database=f"{manifest.database} {manifest.database_version}",
        key_id=key_id,
        tables=len(manifest.tables),
        rows=manifest.rows,
    )


@contextmanager
def _content(file: Path, tell: Tell) -> Iterator[Iterable[bytes]]:
    """What stands behind the manifest."""
    with file.open("rb") as opened:
        _, content = unpack(_told(Opener(opened, backup_keys()).chunks(), opened, tell))
        yield content


def _told(chunks: Iterator[bytes], opened: Any, tell: Tell) -> Iterator[bytes]:
    for chunk in chunks:
        tell(opened.tell())
        yield chunk
