"""Collects what devices confirm, so that a thousand acks become one write."""

from __future__ import annotations

from uuid import UUID

from realtime.actions import record_receipts
from realtime.offload import offloaded
from realtime.rights import Grant

write = offloaded(record_receipts)


class Receipts:
    def __init__(self) -> None:
        self._seen: dict[tuple[UUID, UUID], int] = {}

    def note(self, grant: Grant, seq: int) -> None:
        key = grant.session_id, grant.diagnosis_id
        self._seen[key] = max(seq, self._seen.get(key, 0))

    async def flush(self) -> None:
        """Writes what was noted; keeps it when the database does not take it."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            await write(seen=seen)
        except BaseException:
            for (session_id, diagnosis_id), seq in seen.items():
                key = session_id, diagnosis_id
                self._seen[key] = max(seq, self._seen.get(key, 0))
            raise
