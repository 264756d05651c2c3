"""Rights while a socket is open: whoever loses one loses the stream at once, and never sees what came after."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken
from rest_framework_simplejwt.tokens import AccessToken
from websockets.exceptions import ConnectionClosed

from accounts import tokens
from accounts.actions import erase_person, renew, save_user, sign_out
from accounts.errors import SessionReused
from accounts.models import Role, Session, User
from diagnoses.actions import change_diagnosis, create_patient, record_diagnosis, set_care_team
from diagnoses.glass import break_glass, close_glass
from diagnoses.models import BrokenGlass, Diagnosis
from diagnoses.querysets import still_visible
from realtime.admission import admit
from realtime.consumers import diagnosis_stream
from realtime.hub import current_hub

from .conftest import access_token

pytestmark = pytest.mark.django_db(transaction=True)


def last_session(user: User) -> Session:
    return user.sessions.order_by("created_at").last()  # type: ignore[return-value]


def leave_the_care_team(bob: User, diagnosis: Diagnosis) -> None:
    set_care_team(actor=None, patient=diagnosis.patient, practitioners=[])


def lose_the_role(bob: User, diagnosis: Diagnosis) -> None:
    bob.role = Role.PATIENT
    save_user(actor=None, user=bob)


def be_deactivated(bob: User, diagnosis: Diagnosis) -> None:
    bob.is_active = False
    save_user(actor=None, user=bob)


def sign_out_there(bob: User, diagnosis: Diagnosis) -> None:
    sign_out(session=last_session(bob))


def have_an_old_token_used_again(bob: User, diagnosis: Diagnosis) -> None:
    old = tokens.issue(last_session(bob))["refresh"]
    renew(refresh=old)
    BlacklistedToken.objects.update(blacklisted_at=timezone.now() - timedelta(hours=1))
    with pytest.raises(SessionReused):
        renew(refresh=old)


def get_a_new_password(bob: User, diagnosis: Diagnosis) -> None:
    bob.set_password("tulips-and-jasmine")
    bob.save()


LOSSES = [
    (get_a_new_password, "not_authenticated", 4401),
    (leave_the_care_team, "not_allowed", 4403),
    (lose_the_role, "not_allowed", 4403),
    (be_deactivated, "not_authenticated", 4401),
    (sign_out_there, "not_authenticated", 4401),
    (have_an_old_token_used_again, "not_authenticated", 4401),
]


@pytest.mark.parametrize(("lose", "code", "close"), LOSSES)
async def test_a_right_that_is_lost_ends_the_socket(
    watch: Any, alice: Any, bob: Any, diagnosis: Any, lose: Any, code: str, close: int
) -> None:
    async with watch(bob, diagnosis, since=1) as his, watch(alice, diagnosis, since=1) as hers:
        await his.frame()
        await hers.frame()
        await sync_to_async(lose)(bob, diagnosis)
        error = await his.frame()

        assert (error["type"], error["data"]["code"]) == ("error", code)
        assert await his.close_code() == close
        await hers.send({"type": "ping"})
        assert (await hers.frame())["type"] == "pong"


@pytest.mark.parametrize(("lose", "code", "close"), LOSSES)
async def test_what_came_after_is_not_seen_even_when_the_hint_is_lost(
    watch: Any, alice: Any, bob: Any, diagnosis: Any, monkeypatch: Any, lose: Any, code: str, close: int
) -> None:
    monkeypatch.setattr("realtime.publish._send_rights_hint", lambda message: None)
    async with watch(bob, diagnosis, since=1) as his, watch(alice, diagnosis, since=1) as hers:
        await his.frame()
        await hers.frame()
        await sync_to_async(lose)(bob, diagnosis)
        await sync_to_async(change_diagnosis)(actor=None, diagnosis=diagnosis, changes={"severity": 5})

        assert (await hers.frame())["data"]["severity"] == 5
        assert (await his.frame())["data"]["code"] == code
        assert await his.close_code() == close


async def test_an_erasure_ends_every_socket_on_the_record(
    watch: Any, alice: Any, bob: Any, sam: Any, diagnosis: Any
) -> None:
    async with (
        watch(alice, diagnosis, since=1) as hers,
        watch(bob, diagnosis, since=1) as his,
        watch(sam, diagnosis, since=1) as staff,
    ):
        for socket in (hers, his, staff):
            await socket.frame()
        await sync_to_async(erase_person)(actor=None, patient=diagnosis.patient)

        assert [await socket.close_code() for socket in (hers, his, staff)] == [4401, 4403, 4403]


async def test_one_who_loses_the_right_while_joining_and_leaves_at_once_is_gone(
    bob: Any, diagnosis: Any, monkeypatch: Any
) -> None:
    async def admit_and_lose(handshake: Any) -> Any:
        admitted = await admit(handshake)
        await sync_to_async(leave_the_care_team)(bob, diagnosis)
        return admitted

    monkeypatch.setattr("realtime.publish._send_rights_hint", lambda message: None)
    monkeypatch.setattr("realtime.consumers.admit", admit_and_lose)
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "websocket.connect"})
    inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "query_string": b"since=0",
        "headers": [(b"authorization", f"Bearer {await sync_to_async(access_token)(bob)}".encode())],
        "client": ("127.0.0.1", 1),
        "url_route": {"kwargs": {"diagnosis_id": diagnosis.pk}},
    }
    await diagnosis_stream(scope, inbox.get, send)

    assert sent[-1] == {"type": "websocket.close", "code": 4403}
    assert not current_hub().guard.holders


async def test_the_other_devices_of_a_user_stay(watch: Any, bob: Any, diagnosis: Any) -> None:
    async with watch(bob, diagnosis, since=1) as phone:
        await phone.frame()
        async with watch(bob, diagnosis, since=1) as tablet:
            await tablet.frame()
            await sync_to_async(sign_out_there)(bob, diagnosis)

            assert await tablet.close_code() == 4401
        await phone.send({"type": "ping"})
        assert (await phone.frame())["type"] == "pong"


def token_of(session: Session, *, seconds: float) -> str:
    access = AccessToken(tokens.issue(session)["access"])
    access.set_exp(from_time=timezone.now(), lifetime=timedelta(seconds=seconds))
    return str(access)


async def test_a_client_is_warned_before_its_token_expires_and_may_renew(watch: Any, bob: Any, diagnosis: Any) -> None:
    async with watch(bob, diagnosis, since=1, seconds=20) as client:
        seen = await client.frames(2)
        session = await sync_to_async(last_session)(bob)
        await client.send({"type": "refresh", "token": await sync_to_async(token_of)(session, seconds=25)})
        seen += await client.frames(2)

    assert [frame["type"] for frame in seen] == ["connect", "token_expiring", "pong", "token_expiring"]
    assert seen[1]["data"]["seconds"] <= 20 < seen[3]["data"]["seconds"] <= 25


async def test_a_token_that_expired_ends_the_socket_after_the_grace(
    watch: Any, bob: Any, diagnosis: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("realtime.consumers.GRACE_SECONDS", 0.5)
    async with watch(bob, diagnosis, since=1, seconds=0.5) as client:
        await client.frames(2)
        await sync_to_async(change_diagnosis)(actor=None, diagnosis=diagnosis, changes={"severity": 5})
        within_the_grace, error = await client.frames(2)

        assert within_the_grace["data"]["severity"] == 5
        assert error["data"]["code"] == "not_authenticated"
        assert await client.close_code() == 4401


@pytest.mark.parametrize("whose", ["nobody", "expired", "another device", "another user"])
async def test_a_token_that_renews_nothing_ends_the_socket(
    watch: Any, alice: Any, bob: Any, diagnosis: Any, whose: str
) -> None:
    def token() -> str:
        if whose == "nobody":
            return "x.y.z"
        if whose == "expired":
            return token_of(last_session(bob), seconds=-1)
        return token_of(Session.objects.create(user=bob if whose == "another device" else alice), seconds=600)

    async with watch(bob, diagnosis, since=1) as client:
        await client.frame()
        await client.send({"type": "refresh", "token": await sync_to_async(token)()})

        assert (await client.frame())["data"]["code"] == "not_authenticated"
        assert await client.close_code() == 4401


def test_many_at_once_are_judged_as_each_alone(
    alice: Any, bob: Any, charlie: Any, dora: Any, sam: Any, diagnosis: Any, other_diagnosis: Any, headache: Any
) -> None:
    gone = User.objects.create(email="gone@clinic.example", role=Role.HEAD, is_active=False)
    former = User.objects.create(email="former@clinic.example", role=Role.PATIENT)
    diagnosis.patient.care_team.add(former)  # a member whose role was taken away
    hers = create_patient(actor=charlie, full_name="Somebody")
    break_glass(actor=charlie, patient_id=diagnosis.patient_id, reason="she fainted here")
    BrokenGlass.objects.create(
        patient=hers, practitioner=bob, reason="long ago it was", until=timezone.now() - timedelta(hours=1)
    )
    third = record_diagnosis(actor=charlie, patient=hers, condition=headache, severity=1)
    users = [alice, bob, charlie, dora, sam, gone, former]
    pairs = list(itertools.product(users, [diagnosis.pk, other_diagnosis.pk, third.pk, hers.pk]))

    alone = {(user.pk, pk) for user, pk in pairs if Diagnosis.objects.visible_to(user).filter(pk=pk).exists()}

    assert still_visible(pairs) == alone
    assert len(alone) == 2 + 2 + 1 + 2 + 3


async def test_a_record_that_was_opened_for_a_while_closes_by_itself(
    watch: Any, charlie: Any, diagnosis: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("diagnoses.glass.OPEN_FOR", timedelta(seconds=2))
    said = {"actor": charlie, "patient_id": diagnosis.patient_id, "reason": "she fainted here"}
    await sync_to_async(break_glass)(**said)

    async with watch(charlie, diagnosis, since=1) as client:
        assert (await client.frame())["type"] == "connect"
        assert (await client.frame())["data"]["code"] == "not_allowed"
        assert await client.close_code() == 4403


async def test_the_head_closes_it_at_once(watch: Any, charlie: Any, sam: Any, diagnosis: Any) -> None:
    said = {"actor": charlie, "patient_id": diagnosis.patient_id, "reason": "she fainted here"}
    await sync_to_async(break_glass)(**said)

    async with watch(charlie, diagnosis, since=1) as client:
        assert (await client.frame())["type"] == "connect"
        glass = await BrokenGlass.objects.aget()
        await sync_to_async(close_glass)(actor=sam, glass=glass)

        assert await client.close_code() == 4403


@pytest.mark.parametrize("round", [0, *(pytest.param(number, marks=pytest.mark.thorough) for number in range(1, 6))])
@pytest.mark.parametrize("lose", [leave_the_care_team, pytest.param(sign_out_there, marks=pytest.mark.thorough)])
async def test_a_right_that_is_lost_during_the_replay_shows_nothing_of_after(
    watch: Any, bob: Any, diagnosis: Any, lose: Any, round: int
) -> None:
    for number in range(80):
        changes = {"severity": number % 5 + 1, "notes": f"note {number}"}
        await sync_to_async(change_diagnosis)(actor=None, diagnosis=diagnosis, changes=changes)
    seen: list[int] = []

    async def lose_then_write() -> int:
        await sync_to_async(lose)(bob, diagnosis)
        kept = (await sync_to_async(Diagnosis.objects.get)(pk=diagnosis.pk)).head
        await sync_to_async(change_diagnosis)(actor=None, diagnosis=diagnosis, changes={"notes": "after"})
        return int(kept)

    async with watch(bob, diagnosis, since=0) as his:
        losing = asyncio.create_task(lose_then_write())
        with suppress(ConnectionClosed):
            while True:
                seen.append((await his.frame()).get("seq") or 0)
        kept = await losing

    assert his.socket.close_code in (4401, 4403)
    assert max(seen, default=0) <= kept
