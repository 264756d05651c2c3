from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from accounts.actions import sign_out
from accounts.models import Session
from realtime.models import Ticket

from .conftest import access_token, ticket_for

pytestmark = pytest.mark.django_db(transaction=True)


async def outcome(socket: Any) -> tuple[str, int]:
    """The code of the error frame and the close code."""
    async with socket as opened:
        frame = json.loads(await opened.recv())
        await opened.wait_closed()
        return frame["data"]["code"], opened.close_code


async def test_a_ticket_is_used_once(raw_socket: Any, alice: Any, diagnosis: Any) -> None:
    ticket = await sync_to_async(ticket_for)(alice, diagnosis)
    path = f"/ws/diagnoses/{diagnosis.pk}/?ticket={ticket}"
    async with raw_socket(path) as opened:
        assert json.loads(await opened.recv())["type"] == "connect"

    assert await outcome(raw_socket(path)) == ("not_authenticated", 4401)


async def test_an_expired_ticket_opens_nothing(raw_socket: Any, alice: Any, diagnosis: Any) -> None:
    ticket = await sync_to_async(ticket_for)(alice, diagnosis)
    await Ticket.objects.aupdate(expires_at=timezone.now() - timedelta(seconds=1))

    assert await outcome(raw_socket(f"/ws/diagnoses/{diagnosis.pk}/?ticket={ticket}")) == ("not_authenticated", 4401)


async def test_a_ticket_for_another_diagnosis_opens_nothing(
    raw_socket: Any, alice: Any, diagnosis: Any, other_diagnosis: Any
) -> None:
    ticket = await sync_to_async(ticket_for)(alice, diagnosis)
    path = f"/ws/diagnoses/{other_diagnosis.pk}/?ticket={ticket}"

    assert await outcome(raw_socket(path)) == ("not_authenticated", 4401)
    assert not await Ticket.objects.aexists()


async def test_a_ticket_dies_with_its_session(raw_socket: Any, alice: Any, diagnosis: Any) -> None:
    ticket = await sync_to_async(ticket_for)(alice, diagnosis)
    await sync_to_async(sign_out)(session=await Session.objects.select_related("user").aget())

    assert await outcome(raw_socket(f"/ws/diagnoses/{diagnosis.pk}/?ticket={ticket}")) == ("not_authenticated", 4401)


async def test_an_outsider_and_a_missing_diagnosis_look_the_same(
    raw_socket: Any, charlie: Any, alice: Any, diagnosis: Any
) -> None:
    async def try_with_token(user: Any, diagnosis_id: object) -> tuple[str, int]:
        headers = {"Authorization": f"Bearer {await sync_to_async(access_token)(user)}"}
        return await outcome(raw_socket(f"/ws/diagnoses/{diagnosis_id}/", additional_headers=headers))

    nothing = "00000000-0000-7000-8000-000000000000"
    assert await try_with_token(charlie, diagnosis.pk) == ("not_allowed", 4403)
    assert await try_with_token(alice, nothing) == ("not_allowed", 4403)


async def test_a_native_client_sends_its_token_in_a_header(raw_socket: Any, bob: Any, diagnosis: Any) -> None:
    headers = {"Authorization": f"Bearer {await sync_to_async(access_token)(bob)}"}
    async with raw_socket(f"/ws/diagnoses/{diagnosis.pk}/", additional_headers=headers) as opened:
        assert json.loads(await opened.recv())["type"] == "connect"


async def test_a_token_in_the_address_is_refused(raw_socket: Any, alice: Any, diagnosis: Any) -> None:
    token = await sync_to_async(access_token)(alice)

    assert await outcome(raw_socket(f"/ws/diagnoses/{diagnosis.pk}/?token={token}")) == ("token_in_query", 4400)


@pytest.mark.parametrize("since", ["-1", "abc", "1.5", "٣", "99999999999"])
async def test_a_position_that_is_no_number_is_refused(raw_socket: Any, alice: Any, diagnosis: Any, since: str) -> None:
    ticket = await sync_to_async(ticket_for)(alice, diagnosis)
    path = f"/ws/diagnoses/{diagnosis.pk}/?ticket={ticket}&since={since}"

    assert await outcome(raw_socket(path)) == ("bad_since", 4400)


async def test_a_page_of_another_origin_is_turned_away(raw_socket: Any, alice: Any, diagnosis: Any) -> None:
    ticket = await sync_to_async(ticket_for)(alice, diagnosis)
    with pytest.raises(InvalidStatus) as refused:
        await raw_socket(f"/ws/diagnoses/{diagnosis.pk}/?ticket={ticket}", origin="https://evil.example")

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/ws/diagnoses/1/", "/ws/", "/nothing"])
async def test_an_address_without_a_stream_is_refused(raw_socket: Any, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await raw_socket(path)

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("frame", "code", "close"),
    [
        ("{", "malformed", 4400),
        ("[]", "malformed", 4400),
        ('{"type": "dance"}', "malformed", 4400),
        ('{"type": "ping", "extra": 1}', "malformed", 4400),
        ('{"type": "ack", "seq": -1}', "malformed", 4400),
        ("[" * 60_000, "malformed", 4400),
        (b"\x00\x01", "malformed", 4400),
    ],
)
async def test_a_frame_nobody_understands_ends_the_socket(
    watch: Any, alice: Any, diagnosis: Any, frame: Any, code: str, close: int
) -> None:
    async with watch(alice, diagnosis, since=1) as client:
        await client.frame()
        await client.send(frame)
        error = await client.frame()

        assert (error["type"], error["data"]["code"]) == ("error", code)
        assert await client.close_code() == close


async def test_too_many_frames_end_the_socket(watch: Any, alice: Any, diagnosis: Any) -> None:
    async with watch(alice, diagnosis, since=1) as client:
        for _ in range(101):
            await client.send({"type": "ping"})

        assert await client.close_code() == 4429
