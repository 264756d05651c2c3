"""The patients' keys, in a file of their own beside the backups. There is only ever one: the newest.

A backup holds the patients and not their keys. So when a key was thrown away and the keyring written again, with the
next backup, no backup can tell anything of that patient any more. A copy of the backups kept elsewhere is worth the
same only when its keyring is replaced, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from avicenna.backup.folder import PARTIAL_PREFIX, settle
from avicenna.backup.format import BackupError, Opener, Sealer
from avicenna.backup.keys import backup_keys

TABLE = "diagnoses_patientkey"
NAME = "avicenna.keyring"


@dataclass(frozen=True)
class StoredKey:
    """As the database writes it: `secret`, sealed, in hexadecimal digits, or None when it was thrown away."""

    id: str
    secret: str | None
    created_at: str


Keyring = Mapping[str, StoredKey]


def read(file: Path) -> dict[str, StoredKey]:
    """By id; none when there is no such file. Raises `BackupError`, `OSError`."""
    if not file.exists():
        return {}
    with file.open("rb") as opened:
        content = b"".join(Opener(opened, backup_keys()).chunks())
    keys = (StoredKey(*json.loads(line)) for line in content.splitlines())
    return {key.id: key for key in keys}


def merged(before: Keyring, now: Keyring) -> dict[str, StoredKey]:
    """What is in the database counts. A key that is not in it stays: another backup may be of another database."""
    return {**before, **now}


def write(folder: Path, keyring: Keyring) -> None:
    """In the place of the one before, or not at all."""
    sealed = BytesIO()
    sealer = Sealer(sealed, *next(iter(backup_keys().items())))
    for key in keyring.values():
        sealer.write(json.dumps([key.id, key.secret, key.created_at]).encode() + b"\n")
    sealer.finish()
    partial = folder / f"{PARTIAL_PREFIX}keyring"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(sealed.getvalue())
        file.flush()
        os.fsync(file.fileno())
    partial.rename(folder / NAME)
    settle(folder)


def fitting(file: Path, expected: int) -> dict[str, StoredKey]:
    """For a backup to which so many keys belong. Raises `BackupError`."""
    keyring = read(file)
    if len(keyring) < expected:
        raise BackupError(
            f"{expected} patients' keys belong to the backup, {file} holds {len(keyring)}: it is not the keyring of "
            "these backups, or an old one."
        )
    return keyring


def inserting(keyring: Keyring, row: str) -> Iterator[str]:
    """SQL; `row` is how the database writes one, with the fields of `StoredKey`."""
    keys = sorted(keyring.values(), key=lambda key: key.id)
    for some in (keys[start : start + 500] for start in range(0, len(keys), 500)):
        rows = ", ".join(
            row.format(id=_safe(key.id), secret=_safe(key.secret or ""), created_at=_safe(key.created_at))
            if key.secret is not None
            else f"('{_safe(key.id)}', NULL, '{_safe(key.created_at)}')"
            for key in some
        )
        yield f"INSERT INTO {TABLE} (id, secret, created_at) VALUES {rows}"


def _safe(value: str) -> str:
    return value.replace("'", "''")
