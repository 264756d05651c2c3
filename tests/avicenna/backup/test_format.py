"""Whatever is done to a sealed file, it is opened whole and unchanged or not at all."""

from __future__ import annotations

import os
from io import BytesIO

import pytest

from avicenna.backup.format import CHUNK_BYTES, TAG_BYTES, BackupError, Damaged, Opener, Sealer, WrongKey

KEY = bytes(range(32))
CONTENT = os.urandom(3 * CHUNK_BYTES + 1000)
HEADER_BYTES = 8 + 2 + len("k1") + 32 + TAG_BYTES


def sealed(content: bytes, key: bytes = KEY) -> bytes:
    file = BytesIO()
    sealer = Sealer(file, "k1", key)
    for start in range(0, len(content), 300_000):
        sealer.write(content[start : start + 300_000])
    sealer.finish()
    return file.getvalue()


def opened(file: bytes, **keys: bytes) -> bytes:
    return b"".join(Opener(BytesIO(file), keys or {"k1": KEY}).chunks())


WHOLE = sealed(CONTENT)
CHUNKS = [WHOLE[start : start + CHUNK_BYTES + TAG_BYTES] for start in range(HEADER_BYTES, len(WHOLE), CHUNK_BYTES + 16)]
HEADER = WHOLE[:HEADER_BYTES]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_what_was_sealed_comes_out(size: int) -> None:
    assert opened(sealed(CONTENT[:size])) == CONTENT[:size]


def test_nothing_of_it_can_be_read_without_the_key() -> None:
    assert CONTENT[:20] not in WHOLE
    assert sealed(CONTENT)[HEADER_BYTES:] != WHOLE[HEADER_BYTES:]  # another salt, another key


def test_every_region_is_guarded() -> None:
    places = [*range(HEADER_BYTES), *range(HEADER_BYTES, len(WHOLE), len(WHOLE) // 40), len(WHOLE) - 1]
    for place in places:
        damaged = WHOLE[:place] + bytes([WHOLE[place] ^ 1]) + WHOLE[place + 1 :]
        with pytest.raises(BackupError):
            opened(damaged)


def test_every_length_is_guarded() -> None:
    for length in [0, 5, HEADER_BYTES - 1, HEADER_BYTES, len(WHOLE) // 2, len(WHOLE) - 1]:
        with pytest.raises(BackupError):
            opened(WHOLE[:length])
    for place in range(1, len(CHUNKS)):
        with pytest.raises(Damaged, match="cut"):
            opened(HEADER + b"".join(CHUNKS[:place]))
    with pytest.raises(Damaged):
        opened(WHOLE + b"\0")


def test_chunks_keep_their_places() -> None:
    first, second, third, last = CHUNKS
    foreign = sealed(CONTENT)[HEADER_BYTES:][: len(first)]
    for chunks in ([second, first, third, last], [first, first, third, last], [first, third, last]):
        with pytest.raises(Damaged):
            opened(HEADER + b"".join(chunks))
    with pytest.raises(Damaged, match="chunk 0"):
        opened(HEADER + foreign + second + third + last)


def test_a_key_that_is_not_known_is_named() -> None:
    with pytest.raises(WrongKey, match="'k1'"):
        opened(WHOLE, k2=KEY)


def test_another_key_under_the_same_name_is_told_from_damage_further_on() -> None:
    with pytest.raises(WrongKey, match="another key"):
        opened(WHOLE, k1=bytes(32))


def test_another_file_is_not_taken_for_a_backup() -> None:
    with pytest.raises(Damaged, match="not a backup"):
        opened(b"PGDMP" + CONTENT[:100])
