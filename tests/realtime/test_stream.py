from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from diagnoses.actions import change_diagnosis
from feedback.actions import submit
from realtime import publish
from realtime.actions import prune_events
from realtime.models import DiagnosisEvent
from realtime.publish import KEPT_EVENTS

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def change_severity(diagnosis: Any, *severities: int) -> None:
    for severity in severities:
        change_diagnosis(actor=None, diagnosis=diagnosis, changes={"severity": severity})


async def test_a_watcher_sees_a_report_at_once(watch: Any, bob: Any, alice: Any, recommendation: Any) -> None:
    async with watch(bob, recommendation.diagnosis, since=2) as client:
        first = await client.frame()
        await sync_to_async(submit)(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=5)
        told = await client.frames(2)

    assert (first["type"], first["data"]["head"]) == ("connect", 2)
    assert [(frame["type"], frame["seq"]) for frame in told] == [("feedback_update", 3), ("effectiveness_update", 4)]
    assert told[0]["data"]["rating"] == 4
    assert told[1]["data"]["sample_size"] == 1


async def test_what_was_missed_comes_first_then_what_is_new(watch: Any, alice: Any, diagnosis: Any) -> None:
    await change_severity(diagnosis, 1, 2, 4)

    async with watch(alice, diagnosis, since=2) as client:
        await client.frame()
        await change_severity(diagnosis, 5)
        seen = await client.frames(3)

    assert [frame["seq"] for frame in seen] == [3, 4, 5]
    assert [frame["data"]["severity"] for frame in seen] == [2, 4, 5]


async def test_every_watcher_gets_every_event_once_and_in_order(
    watch: Any, alice: Any, bob: Any, diagnosis: Any
) -> None:
    async with watch(alice, diagnosis) as one, watch(bob, diagnosis, since=1) as two:
        await asyncio.gather(one.frames(2), two.frames(1))
        await change_severity(diagnosis, *[1 + number % 2 for number in range(30)])
        seen = await asyncio.gather(one.frames(30), two.frames(30))

    assert [[frame["seq"] for frame in frames] for frames in seen] == [list(range(2, 32))] * 2


async def test_a_change_that_is_rolled_back_is_never_told(watch: Any, alice: Any, diagnosis: Any) -> None:
    from django.db import transaction

    def try_and_fail() -> None:
        with transaction.atomic():
            change_diagnosis(actor=None, diagnosis=diagnosis, changes={"severity": 5})
            transaction.set_rollback(True)

    async with watch(alice, diagnosis, since=1) as client:
        await client.frame()
        await sync_to_async(try_and_fail)()
        await change_severity(diagnosis, 1)
        seen = await client.frame()

    assert (seen["seq"], seen["data"]["severity"]) == (2, 1)


@pytest.mark.parametrize("since", [99_999, 0])
async def test_a_position_that_cannot_be_resumed_gets_one_reset(
    watch: Any, alice: Any, diagnosis: Any, since: int
) -> None:
    await change_severity(diagnosis, *[1 + number % 2 for number in range(KEPT_EVENTS + 1)])

    async with watch(alice, diagnosis, since=since) as client:
        connect, reset = await client.frames(2)
        await change_severity(diagnosis, 5)
        after = await client.frame()

    assert (reset["type"], reset["seq"]) == ("reset", connect["data"]["head"])
    assert reset["data"]["snapshot"]["diagnosis"]["severity"] == 1
    assert (after["type"], after["seq"]) == ("diagnosis_update", reset["seq"] + 1)


async def test_a_hint_that_was_lost_is_made_up_for(watch: Any, alice: Any, diagnosis: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("realtime.publish.send_hint", lambda *_: None)
    async with watch(alice, diagnosis, since=1) as client:
        await client.frame()
        await change_severity(diagnosis, 1)
        monkeypatch.undo()
        await change_severity(diagnosis, 2)
        seen = await client.frames(2)

    assert [frame["seq"] for frame in seen] == [2, 3]


async def test_a_watcher_whose_gap_is_no_longer_kept_starts_over(
    watch: Any, alice: Any, diagnosis: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("realtime.publish.send_hint", lambda *_: None)
    async with watch(alice, diagnosis, since=1) as client:
        await client.send({"type": "ping"})
        await client.frames(2)  # answered, so it has joined
        await change_severity(diagnosis, 1)
        await sync_to_async(prune_events)(keep=0)
        monkeypatch.undo()
        await sync_to_async(publish.send_hint)(diagnosis.pk, 2)
        reset = await client.frame()
        await change_severity(diagnosis, 2)
        after = await client.frame()

    assert (reset["type"], reset["seq"], after["seq"]) == ("reset", 2, 3)


async def test_a_ping_is_answered(watch: Any, alice: Any, diagnosis: Any) -> None:
    async with watch(alice, diagnosis, since=1) as client:
        await client.frame()
        await client.send({"type": "ping"})
        pong = await client.frame()

    assert (pong["type"], pong["data"]) == ("pong", {"head": 1})


async def test_only_the_newest_events_are_kept(diagnosis: Any) -> None:
    await change_severity(diagnosis, *[1 + number % 2 for number in range(2 * KEPT_EVENTS + 5)])

    kept = [seq async for seq in DiagnosisEvent.objects.values_list("seq", flat=True).order_by("seq")]
    assert KEPT_EVENTS <= len(kept) <= 2 * KEPT_EVENTS
    assert kept == list(range(kept[0], 2 * KEPT_EVENTS + 7))
