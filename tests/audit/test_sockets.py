from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from audit.models import AuditRecord
from diagnoses.actions import change_diagnosis
from tests.realtime.conftest import _no_connection_is_left, server, watch

__all__ = ["_no_connection_is_left", "server", "watch"]

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def told(diagnosis: Any) -> list[tuple[str, dict[str, Any], int]]:
    records = AuditRecord.objects.filter(kind="events", object_id=str(diagnosis.pk)).order_by("id")
    return [(record.action, record.changes, record.actor_id) for record in records]


async def until(diagnosis: Any, count: int) -> list[tuple[str, dict[str, Any], int]]:
    """What is told when so many records are there; the process writes what sockets were handed every few seconds."""
    async with asyncio.timeout(15):
        while len(found := await told(diagnosis)) < count:
            await asyncio.sleep(0.1)
    return found


async def test_a_socket_is_told_when_it_opens_and_what_it_was_handed_when_it_closes(
    watch: Any, bob: Any, diagnosis: Any
) -> None:
    async with watch(bob, diagnosis) as client:
        await client.frames(2)  # connect, recorded
        assert await told(diagnosis) == [("replayed", {"events": [0, 1]}, bob.pk)]
        for severity in (4, 5):
            await sync_to_async(change_diagnosis)(actor=None, diagnosis=diagnosis, changes={"severity": severity})
            await client.frame()

    assert (await until(diagnosis, 2))[1] == ("delivered", {"events": [2, 3]}, bob.pk)
    record = await AuditRecord.objects.filter(object_id=str(diagnosis.pk)).alatest("id")
    assert (record.patient, record.object_id) == (diagnosis.patient_id, str(diagnosis.pk))
    assert record.network == "127.0.0.0/24" and record.session == str((await bob.sessions.aget()).pk)


async def test_a_socket_that_saw_nothing_new_leaves_the_record_of_its_opening(
    watch: Any, bob: Any, diagnosis: Any
) -> None:
    async with watch(bob, diagnosis, since=1) as client:
        await client.frame()

    assert await told(diagnosis) == [("replayed", {"events": [1, 1]}, bob.pk)]


async def test_who_may_not_watch_is_not_told_as_watching(watch: Any, charlie: Any, diagnosis: Any) -> None:
    async with watch(charlie, diagnosis) as client:
        assert await client.close_code() == 4403

    assert await told(diagnosis) == []
