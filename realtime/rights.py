"""Whether those who hold sockets may still see what they watch.

`RightsClock` rises in the transaction of every change that takes a right away, and every read of events brings its
number along: an event that was committed after a right was lost is never handed to the one who lost it, even when the
hint that says so got lost.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from accounts.models import Session
from diagnoses.querysets import still_visible
from realtime.closing import CloseCode, Refused, not_allowed, not_signed_in
from realtime.models import RightsClock
from realtime.offload import offloaded


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may watch what, until when, and the change of rights up to which that was checked."""

    user_id: int
    session_id: UUID
    diagnosis_id: UUID
    access_until: datetime
    rights: int
    # When it was opened for a while (`diagnoses.glass`): no change of rights says that it is over.
    seen_until: datetime | None = None


class Holder(Protocol):
    """A socket as the guard sees it."""

    grant: Grant

    def dismiss(self, refusal: Refused) -> None: ...


def find_lost(grants: Collection[Grant]) -> tuple[int, dict[Grant, Refused]]:
    """The grants that no longer hold and why, and the number of the newest change that this takes into account."""
    number = RightsClock.newest()  # before the facts, so that a change in between is looked at again
    ids = {grant.session_id for grant in grants}
    live = Session.objects.filter(pk__in=ids, ended_at=None, user__is_active=True).select_related("user").in_bulk()
    pairs = [(live[grant.session_id].user, grant.diagnosis_id) for grant in grants if grant.session_id in live]
    visible = still_visible(pairs)
    lost: dict[Grant, Refused] = {}
    for grant in grants:
        if grant.session_id not in live:
            lost[grant] = not_signed_in()
        elif (grant.user_id, grant.diagnosis_id) not in visible:
            lost[grant] = not_allowed()
    return number, lost


read_lost = offloaded(find_lost)


class Guard:
    """The sockets of one process by user, each checked against change `number` of the rights or a later one."""

    def __init__(self, sockets_per_user: int) -> None:
        self.number = 0
        self._sockets_per_user = sockets_per_user
        self._by_user: defaultdict[int, set[Holder]] = defaultdict(set)
        self._lock = asyncio.Lock()

    @property
    def users(self) -> int:
        return len(self._by_user)

    @property
    def holders(self) -> list[Holder]:
        return [holder for holders in self._by_user.values() for holder in holders]

    def enter(self, holder: Holder) -> None:
        """Raises `Refused` when the user holds too many sockets."""
        holders = self._by_user[holder.grant.user_id]
        if len(holders) >= self._sockets_per_user:
            raise Refused(CloseCode.TOO_MANY, "too_many_sockets")
        holders.add(holder)

    def leave(self, holder: Holder) -> None:
        user_id = holder.grant.user_id
        self._by_user[user_id].discard(holder)
        if not self._by_user[user_id]:
            del self._by_user[user_id]

    async def confirm(self, holder: Holder) -> None:
        """Makes up for changes since the holder was admitted. Raises `Refused`."""
        async with self._lock:
            if holder.grant.rights < self.number:
                number, lost = await read_lost([holder.grant])
                self.number = min(self.number, number)  # the clock went back: the database was restored
                if refusal := lost.get(holder.grant):
                    raise refusal
            elif holder.grant.rights > self.number:
                await self._check_all()

    async def settle(self, number: int) -> None:
        """Returns once every holder was checked against change `number` or a later one.

        A number from before stands for a database that was restored: nothing is known about it.
        """
        async with self._lock:
            if number != self.number:
                await self._check_all()

    async def heard(self, number: int, user_ids: Iterable[int]) -> None:
        """A hint: change `number` was about these users."""
        async with self._lock:
            if number > self.number + 1:  # others were missed
                await self._check_all()
                return
            await self._check([holder for user_id in user_ids for holder in self._by_user.get(user_id, ())])
            self.number = max(number, self.number)

    async def check_all(self) -> None:
        async with self._lock:
            await self._check_all()

    async def _check_all(self) -> None:
        self.number = await self._check(self.holders)

    async def _check(self, holders: list[Holder]) -> int:
        if not holders:
            return self.number
        number, lost = await read_lost({holder.grant for holder in holders})
        for holder in holders:
            if refusal := lost.get(holder.grant):
                holder.dismiss(refusal)
        return number
