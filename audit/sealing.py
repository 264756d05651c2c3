"""The chain: each record takes up the hash of the one before, so that none can be changed, left out or moved unseen.

Requests only add records. Linking them in there would make all who write wait for each other's commit; so one sealer
numbers and links what is there, within seconds, in transactions of its own.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from audit.models import AuditRecord
from avicenna.sql import run, update

logger = logging.getLogger("avicenna.audit")

AT_ONCE = 500
FORM = 1

# What a hash covers, in this order, beside number and previous hash. Another list is another FORM.
COVERED = (
    "id", "at", "actor_id", "actor_role", "actor_name", "session", "network", "request_id", "action", "kind",
    "object_id", "patient", "purpose", "reason", "changes",
)  # fmt: skip


class Head(NamedTuple):
    """The newest link: kept elsewhere it shows that nothing up to it was taken away or replaced."""

    number: int
    hash: str


BEGINNING = Head(0, "0" * 64)


def head() -> Head:
    newest = AuditRecord.objects.sealed().reverse().values_list("number", "hash").first()
    return Head(*newest) if newest and newest[0] is not None else BEGINNING  # type: ignore[arg-type]


def digest(record: AuditRecord, after: Head) -> str:
    """SHA-256, in hex, of the record's JSON: sorted keys, no spaces, times in UTC with microseconds."""
    content = [FORM, after.number + 1, after.hash, *(_plain(getattr(record, name)) for name in COVERED)]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def seal_what_is_due() -> int:
    """Returns how many."""
    sealed = 0
    while AuditRecord.objects.unsealed().exists() and (count := _seal()):  # not to lock SQLite for nothing
        sealed += count
    return sealed


@transaction.atomic
def _seal() -> int:
    """The oldest AT_ONCE. The lock lets a second sealer wait, and then find nothing."""
    waiting = list(AuditRecord.objects.unsealed().select_for_update()[:AT_ONCE])
    if not waiting:
        return 0
    newest = head()
    for record in waiting:
        record.previous_hash, record.hash = newest.hash, digest(record, newest)
        newest = Head(newest.number + 1, record.hash)
        record.number = newest.number
    run(*(update(record, "number", "previous_hash", "hash") for record in waiting))
    transaction.on_commit(lambda: _tell(newest, len(waiting)), robust=True)
    return len(waiting)


def _tell(newest: Head, count: int) -> None:
    """The log leaves this machine: whoever cuts the end off the trail cannot cut it off there."""
    logger.info("sealed", extra={"head": f"{newest.number}:{newest.hash}", "records": count})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, UUID) else value
