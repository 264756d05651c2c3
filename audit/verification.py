from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from audit.models import AuditRecord
from audit.sealing import BEGINNING, Head, digest

# A worker seals every second: what waits longer is not waiting for a worker that is well.
SEALED_WITHIN = timedelta(minutes=1)
READ_AT_ONCE = 2_000


@dataclass
class Verification:
    """One pass over the trail. `kept` are heads that were kept elsewhere, number → hash; iterate for what is wrong."""

    kept: Mapping[int, str] = field(default_factory=dict)
    head: Head = BEGINNING
    records: int = 0

    def findings(self) -> Iterator[str]:
        for record in AuditRecord.objects.sealed().iterator(chunk_size=READ_AT_ONCE):
            if not self.records:
                yield from self._begin(record)
            yield from self._wrong(record)
            self.records += 1
            self.head = Head(record.number or 0, record.hash)
        for number in sorted(number for number in self.kept if number > self.head.number):
            yield f"the trail ends at {self.head.number}, but {number} was sealed: its end is missing"
        yield from self._waiting()

    def _begin(self, first: AuditRecord) -> Iterator[str]:
        """Old records may have been put away: then the head before the first was kept."""
        before = Head((first.number or 0) - 1, first.previous_hash)
        if before == BEGINNING:
            return
        if self.kept.get(before.number) == before.hash:
            self.head = before
        elif before.number != BEGINNING.number:
            yield f"the trail begins at {first.number} and no head {before.number} was given: its beginning is missing"
            self.head = before

    def _wrong(self, record: AuditRecord) -> Iterator[str]:
        number, expected = record.number or 0, self.head.number + 1
        if number != expected:
            yield f"{expected} to {number - 1}: missing"
        elif record.previous_hash != self.head.hash:
            yield f"{number}: does not follow the one before"
        if digest(record, Head(number - 1, record.previous_hash)) != record.hash:
            yield f"{number}: was changed after it was sealed"
        if number in self.kept and self.kept[number] != record.hash:
            yield f"{number}: is not the record that was sealed under this number"

    def _waiting(self) -> Iterator[str]:
        waiting = AuditRecord.objects.unsealed().filter(at__lt=timezone.now() - SEALED_WITHIN).count()
        if waiting:
            yield f"{waiting} older than a minute and not sealed: does a worker run?"
