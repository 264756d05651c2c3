"""A sealed file: what was written comes out whole and unchanged, or not at all.

Version 1, numbers in big endian:

    magic      8      b"AVICBKUP"
    version    1      1
    key id     1 + n  its length, then ASCII
    salt       32     random
    check      16     tag of AES-256-GCM over all of the above, under a nonce of twelve bytes 0xff
    chunks            1 MiB of content each, the last one up to 1 MiB, each followed by its tag of 16 bytes

The key of a file is HKDF-SHA256(backup key, salt, b"avicenna backup 1"): no two files share one, so a nonce may count.
That of chunk n is n in eleven bytes, then 1 for the last chunk and 0 for any other; everything before the chunks is
associated data of each. So a chunk that was changed, moved, left out, repeated or brought from another file is refused,
and so is a file that was cut or added to. (The STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015.)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"AVICBKUP"
VERSION = 1
SALT_BYTES = 32
TAG_BYTES = 16
CHUNK_BYTES = 1024 * 1024
CHECK_NONCE = b"\xff" * 12


class BackupError(Exception):
    """In words for an operator: what is wrong with a backup, or with making one."""


class Damaged(BackupError):
    """It is not what was written."""


class WrongKey(BackupError):
    """It cannot be told what it is without the key that sealed it."""


def _file_key(backup_key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"avicenna backup 1").derive(backup_key))


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


class Sealer:
    """Writes to `file`, which is then good only after `finish`. Never holds more than a few chunks."""

    def __init__(self, file: BinaryIO, key_id: str, key: bytes) -> None:
        self._file = file
        salt = os.urandom(SALT_BYTES)
        self._header = MAGIC + bytes([VERSION, len(key_id)]) + key_id.encode("ascii") + salt
        self._key = _file_key(key, salt)
        self._pending = bytearray()
        self._number = 0
        file.write(self._header + self._key.encrypt(CHECK_NONCE, b"", self._header))

    def write(self, content: bytes) -> None:
        self._pending += content
        while len(self._pending) > CHUNK_BYTES:  # not >=: the last chunk is known only when no more comes
            self._seal(bytes(self._pending[:CHUNK_BYTES]), is_last=False)
            del self._pending[:CHUNK_BYTES]

    def finish(self) -> None:
        self._seal(bytes(self._pending), is_last=True)
        self._pending.clear()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._file.write(self._key.encrypt(_nonce(self._number, is_last), chunk, self._header))
        self._number += 1


class Opener:
    """Reads what a `Sealer` wrote, from the start of `file`. `keys` are the known ones by their id.

    Raises `WrongKey` or `Damaged`, here and while reading.
    """

    def __init__(self, file: BinaryIO, keys: Mapping[str, bytes]) -> None:
        self._file = file
        fixed = file.read(len(MAGIC) + 2)
        if fixed[: len(MAGIC)] != MAGIC or len(fixed) < len(MAGIC) + 2:
            raise Damaged("This is not a backup of Avicenna, or its first bytes are damaged.")
        if fixed[-2] != VERSION:
            raise Damaged(f"The backup has format {fixed[-2]}; this version of Avicenna reads format {VERSION}.")
        rest = file.read(fixed[-1] + SALT_BYTES)
        self._header = fixed + rest
        self.key_id = rest[: fixed[-1]].decode("ascii", "replace")
        if self.key_id not in keys:
            raise WrongKey(f"The backup was sealed with the key {self.key_id!r}, which is not in BACKUP_KEY.")
        self._key = _file_key(keys[self.key_id], rest[fixed[-1] :])
        try:
            self._key.decrypt(CHECK_NONCE, file.read(TAG_BYTES), self._header)
        except (InvalidTag, ValueError) as error:
            raise WrongKey(
                f"BACKUP_KEY holds another key under the id {self.key_id!r}, "
                "or the first bytes of the backup are damaged."
            ) from error

    def chunks(self) -> Iterator[bytes]:
        """The content. It is whole only when the iterator ends without an error."""
        number, sealed = 0, self._read()
        while True:
            following = self._read()
            try:
                chunk = self._key.decrypt(_nonce(number, not following), sealed, self._header)
            except (InvalidTag, ValueError) as error:
                where = f"in its chunk {number}" if following else "in its last chunk, or was cut or added to"
                raise Damaged(f"The backup is damaged {where}.") from error
            yield chunk
            if not following:
                return
            number, sealed = number + 1, following

    def _read(self) -> bytes:
        return self._file.read(CHUNK_BYTES + TAG_BYTES)
