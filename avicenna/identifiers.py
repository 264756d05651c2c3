from __future__ import annotations

from uuid import UUID, uuid5

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A version 7 UUID: known before the insert (encryption binds to it) and ordered by time (indexes stay compact)."""
    return uuid7()


def id_for_key(owner: object, key: str) -> UUID:
    """The id a create gets for an `Idempotency-Key`: the same owner and key always name the same row."""
    return uuid5(UUID("5f2d5c7a-6b0e-5d2c-9a51-0a3c1e0f7d11"), f"{owner}:{key}")
