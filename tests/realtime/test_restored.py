"""After the database came back from a backup, nobody goes on from a number that now stands for something else."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command

from diagnoses.actions import change_diagnosis
from diagnoses.models import Diagnosis
from realtime.models import DiagnosisEvent
from realtime.restored import LEAP

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def change(diagnosis: Any, *severities: int) -> None:
    for severity in severities:
        change_diagnosis(actor=None, diagnosis=diagnosis, changes={"severity": severity})


@sync_to_async
def bring_back(diagnosis: Any, head: int) -> None:
    """The database of the moment when `head` was the newest event."""
    DiagnosisEvent.objects.filter(diagnosis=diagnosis, seq__gt=head).delete()
    Diagnosis.objects.filter(pk=diagnosis.pk).update(head=head)
    call_command("restore", "--recovered")


@pytest.mark.parametrize("since", [1, 2, 4, 5])
async def test_whoever_comes_back_starts_over(watch: Any, alice: Any, diagnosis: Any, since: int) -> None:
    """Also with a number that the restored database has given out anew."""
    await change(diagnosis, 1, 2, 4)
    await bring_back(diagnosis, 2)
    await change(diagnosis, 5, 4, 1)

    async with watch(alice, diagnosis, since=since) as client:
        connect, reset = await client.frames(2)

    assert connect["data"]["head"] == reset["seq"] == LEAP + 5
    assert (reset["type"], reset["data"]["snapshot"]["diagnosis"]["severity"]) == ("reset", 1)


async def test_whoever_watches_starts_over(watch: Any, alice: Any, diagnosis: Any) -> None:
    await change(diagnosis, 1, 2, 4)
    async with watch(alice, diagnosis, since=4) as client:
        await client.send({"type": "ping"})
        await client.frames(2)  # answered, so it has joined
        await bring_back(diagnosis, 2)
        await change(diagnosis, 5)
        reset = await client.frame()
        await change(diagnosis, 1)
        after = await client.frame()

    assert (reset["type"], reset["seq"], reset["data"]["snapshot"]["diagnosis"]["severity"]) == ("reset", LEAP + 3, 5)
    assert (after["type"], after["seq"]) == ("diagnosis_update", LEAP + 4)


def test_the_events_over_http_start_over_too(api: Any, alice: Any, diagnosis: Any) -> None:
    change_diagnosis(actor=None, diagnosis=diagnosis, changes={"severity": 1})
    call_command("restore", "--recovered")

    answer = api(alice).get(f"/api/diagnoses/{diagnosis.pk}/events/?since=3")

    assert [frame["type"] for frame in answer.json()["events"]] == ["reset"]
