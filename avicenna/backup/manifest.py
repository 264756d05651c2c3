from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from avicenna.backup.format import BackupError

LENGTH_BYTES = 4


class Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(Facts):
    """`content` is the sum of the hashes of its rows: the same in whatever order they stand."""

    rows: int
    content: str


class Manifest(Facts):
    """What a backup holds, written into it in front of the content; `tables` by name.

    `keys` is how many patients' keys belong to it: they stand in the keyring, and their table in the backup is empty.
    """

    created_at: datetime
    version: str
    database: Literal["postgresql", "sqlite"]
    database_version: str
    migrations: list[str]
    tables: dict[str, Table]
    keys: int = 0

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def differences(expected: Mapping[str, Table], found: Mapping[str, Table]) -> list[str]:
    """How the tables of a restored database differ from those of its backup, one line for each."""
    lines = []
    for name in sorted({*expected, *found}):
        ours, theirs = expected.get(name), found.get(name)
        if ours is None or theirs is None:
            lines.append(f"{name}: {'not in the backup' if ours is None else 'missing'}")
        elif ours.rows != theirs.rows:
            lines.append(f"{name}: {theirs.rows} rows instead of {ours.rows}")
        elif ours.content != theirs.content:
            lines.append(f"{name}: {ours.rows} rows, but not the same content")
    return lines


class Beside(Facts):
    """What may be known about a backup without its key; nothing in it is about a person."""

    file: str
    bytes: int
    sha256: str
    created_at: datetime
    version: str
    database: str
    key_id: str
    tables: int
    rows: int


def packed(manifest: Manifest) -> bytes:
    text = manifest.model_dump_json().encode()
    return len(text).to_bytes(LENGTH_BYTES, "big") + text


def unpack(content: Iterator[bytes]) -> tuple[Manifest, Iterator[bytes]]:
    """The manifest in front of the content, and what follows."""
    seen = bytearray()
    wanted = LENGTH_BYTES
    for piece in content:
        seen += piece
        if len(seen) >= LENGTH_BYTES:
            wanted = LENGTH_BYTES + int.from_bytes(seen[:LENGTH_BYTES], "big")
        if len(seen) >= wanted:
            break
    try:
        manifest = Manifest.model_validate_json(bytes(seen[LENGTH_BYTES:wanted]))
    except ValidationError as error:
        raise BackupError(
            "What the backup says of itself is not understood: a newer version of Avicenna wrote it."
        ) from error
    return manifest, chain([bytes(seen[wanted:])], content)
