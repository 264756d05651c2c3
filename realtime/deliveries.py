"""What sockets were handed, told to the audit trail when they close: a thousand that leave become one write."""

from __future__ import annotations

import atexit
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from audit import trail
from audit.models import Action, AuditRecord, Kind
from audit.origin import Origin
from avicenna.identifiers import new_id
from realtime.offload import offloaded


@dataclass(frozen=True, slots=True)
class Watching:
    """A socket that was admitted: `record` is what will be told of it, `head` the number its diagnosis was at."""

    record: AuditRecord
    head: int


def watch(
    user: User, *, session: UUID, network: str, patient: UUID, diagnosis: UUID, since: int, head: int
) -> Watching:
    """Tells that the stream was opened, and from where on: once in some minutes, however often a phone comes back."""
    origin = Origin(network=network, session=lambda: str(session))

    def told(action: Action) -> AuditRecord:
        return trail.entry(user, action, Kind.EVENTS, patient=patient, object_id=diagnosis, origin=origin)

    opened = told(Action.REPLAYED)
    opened.changes = {"events": [since, head]}
    trail.keep([opened])
    return Watching(told(Action.DELIVERED), head)


class Deliveries:
    """Of the sockets of one process that have closed."""

    def __init__(self) -> None:
        self._closed: list[AuditRecord] = []
        atexit.register(lambda: write(self._taken()))

    def note(self, watching: Watching, last: int) -> None:
        """A socket has closed; the newest event it was handed is `last`. Nothing new is nothing to tell."""
        if last > watching.head:
            record = watching.record
            record.id, record.at, record.changes = new_id(), timezone.now(), {"events": [watching.head + 1, last]}
            self._closed.append(record)

    async def flush(self) -> None:
        await offloaded(write)(self._taken())

    def _taken(self) -> list[AuditRecord]:
        taken, self._closed = self._closed, []
        return taken


def write(records: list[AuditRecord]) -> None:
    if records:
        trail.keep(records, also_repeated=True)
