"""What staff can see of a stream: how far each device has confirmed, and which processes hold sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from diagnoses.actions import change_diagnosis
from realtime.actions import record_receipts, report_process
from realtime.models import Receipt, StreamProcess

pytestmark = pytest.mark.django_db(transaction=True)


async def eventually(find: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(8):
        while not (found := await find()):
            await asyncio.sleep(0.1)
    return found


async def test_what_a_device_confirms_is_kept(watch: Any, alice: Any, diagnosis: Any) -> None:
    async with watch(alice, diagnosis, since=1) as client:
        await client.frame()
        await sync_to_async(change_diagnosis)(actor=None, diagnosis=diagnosis, changes={"severity": 5})
        seen = await client.frame()
        await client.send({"type": "ack", "seq": seen["seq"]})
        await client.send({"type": "ack", "seq": 1})
        receipt = await eventually(Receipt.objects.select_related("session__user").afirst)

    assert (receipt.session.user, receipt.diagnosis_id, receipt.seen_seq) == (alice, diagnosis.pk, 2)


async def test_nobody_confirms_what_was_not_sent(watch: Any, alice: Any, diagnosis: Any) -> None:
    async with watch(alice, diagnosis, since=1) as client:
        await client.frame()
        await client.send({"type": "ack", "seq": 999})
        receipt = await eventually(Receipt.objects.afirst)

    assert receipt.seen_seq == 1


def test_a_receipt_never_goes_back_and_a_session_that_is_gone_is_left_out(alice: Any, diagnosis: Any) -> None:
    session, gone = alice.sessions.create(), alice.sessions.create()
    gone_id = gone.pk
    gone.delete()
    for seq in (5, 3):
        record_receipts(seen={(session.pk, diagnosis.pk): seq, (gone_id, diagnosis.pk): seq})

    assert list(Receipt.objects.values_list("session", "seen_seq")) == [(session.pk, 5)]


async def test_staff_sees_how_many_are_connected_and_where(
    watch: Any, api: Any, alice: Any, bob: Any, sam: Any, diagnosis: Any, other_diagnosis: Any
) -> None:
    client = await sync_to_async(api)(sam)
    async with watch(alice, diagnosis), watch(bob, diagnosis), watch(bob, other_diagnosis):

        async def status() -> Any:
            answer = (await sync_to_async(client.get)("/api/realtime/status")).json()
            return answer if answer["connections"] == 3 else None

        processes = (await eventually(status))["processes"]
        [process] = [one for one in processes if one["connections"]]  # an event loop of before may still be counted

    assert (process["diagnoses"], process["users"], process["hears_hints"]) == (2, 2, True)


def test_a_process_that_fell_silent_does_not_count(api: Any, sam: Any) -> None:
    report = {"started_at": timezone.now(), "connections": 7, "diagnoses": 2, "users": 3, "hears_hints": True}
    for number in range(2):
        report_process(id=f"00000000-0000-7000-8000-00000000000{number}", name=f"web:{number}", **report)
    StreamProcess.objects.filter(name="web:0").update(seen_at=timezone.now() - timedelta(seconds=30))

    answer = api(sam).get("/api/realtime/status").json()

    assert (answer["connections"], [process["name"] for process in answer["processes"]]) == (7, ["web:1"])
