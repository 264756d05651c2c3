from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.db.models import F
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from accounts import tokens
from accounts.models import Session, User
from tests.accounts.racing import race


@pytest.fixture
def session(alice: User) -> Session:
    return Session.objects.create(user=alice)


def renew(refresh: str, *, attempt: str = "") -> Any:
    headers = {"Idempotency-Key": attempt} if attempt else {}
    return APIClient().post("/api/auth/token/refresh", {"refresh": refresh}, headers=headers)


def bearer(access: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access}"}


def test_a_refresh_token_is_exchanged_for_a_new_pair_of_the_same_session(api: Any, session: Session) -> None:
    old = tokens.issue(session)

    new = renew(old["refresh"]).json()

    assert set(new) == {"access", "refresh"} and not set(new.values()) & set(old.values())
    sids = {jwt.decode(token, options={"verify_signature": False})["sid"] for token in new.values()}
    assert sids == {str(session.pk)}
    assert api().get("/api/me", headers={"Authorization": f"Bearer {new['access']}"}).status_code == 200


def let_a_minute_pass() -> None:
    """Since each token that was used was used."""
    BlacklistedToken.objects.update(blacklisted_at=F("blacklisted_at") - timedelta(seconds=61))


def claims(token: str) -> Any:
    return jwt.decode(token, options={"verify_signature": False})


def test_an_answer_that_was_lost_is_given_again(api: Any, session: Session) -> None:
    old = tokens.issue(session)["refresh"]
    lost = renew(old).json()

    again = renew(old).json()

    assert claims(again["refresh"]) == claims(lost["refresh"])
    assert api().get("/api/me", headers=bearer(again["access"])).status_code == 200
    assert renew(again["refresh"]).status_code == 200


def test_however_often_it_is_asked_for_there_is_one_line_of_tokens(session: Session) -> None:
    first = tokens.issue(session)["refresh"]
    second = renew(first).json()["refresh"]
    third = renew(second).json()["refresh"]

    again = [renew(token).json()["refresh"] for token in (first, second, first)]

    assert {claims(token)["jti"] for token in again} == {claims(third)["jti"]}


def test_a_token_that_is_used_again_later_ends_the_session(
    api: Any, session: Session, alice: User, caplog: Any
) -> None:
    stolen = tokens.issue(session)["refresh"]
    owners, elsewhere = renew(stolen).json(), tokens.issue(Session.objects.create(user=alice))
    let_a_minute_pass()

    thief = renew(stolen)

    assert (thief.status_code, thief.json()["error"]["code"]) == (401, "session_reused")
    assert api().get("/api/me", headers=bearer(owners["access"])).status_code == 401
    owner = renew(owners["refresh"])
    assert (owner.status_code, owner.json()["error"]["code"]) == (401, "session_reused")
    assert api().get("/api/me", headers=bearer(elsewhere["access"])).status_code == 200
    (told,) = [record for record in caplog.records if record.name == "avicenna.security"]
    assert (told.user, told.session) == (alice.pk, session.pk)


def test_a_thief_within_the_minute_is_found_out_at_the_next_renewal(session: Session) -> None:
    stolen = tokens.issue(session)["refresh"]
    owners, thiefs = renew(stolen).json()["refresh"], renew(stolen).json()["refresh"]
    renew(thiefs)
    let_a_minute_pass()

    assert renew(owners).json()["error"]["code"] == "session_reused"


def test_the_same_attempt_gets_the_same_answer_however_late(session: Session) -> None:
    old = tokens.issue(session)["refresh"]
    lost = renew(old, attempt="a").json()["refresh"]
    let_a_minute_pass()

    again = renew(old, attempt="a").json()["refresh"]

    assert claims(again) == claims(lost)
    assert renew(again, attempt="b").status_code == 200
    let_a_minute_pass()
    assert renew(old, attempt="a").json()["error"]["code"] == "session_reused"  # its answer has arrived, somewhere


@pytest.mark.parametrize("attempt", ["another", ""])
def test_another_attempt_with_a_used_token_is_a_theft(session: Session, attempt: str) -> None:
    old = tokens.issue(session)["refresh"]
    renew(old, attempt="a")
    let_a_minute_pass()

    assert renew(old, attempt=attempt).json()["error"]["code"] == "session_reused"


def test_two_devices_renew_side_by_side(session: Session, alice: User) -> None:
    pairs = [tokens.issue(session), tokens.issue(Session.objects.create(user=alice))]

    assert [renew(pair["refresh"]).status_code for pair in pairs] == [200, 200]


def test_it_ends_with_its_session(session: Session) -> None:
    refresh = tokens.issue(session)["refresh"]
    session.ended_at = timezone.now()
    session.save()

    assert renew(refresh).status_code == 401


def test_it_ends_with_its_user(session: Session, alice: User) -> None:
    refresh = tokens.issue(session)["refresh"]
    alice.is_active = False
    alice.save()

    assert renew(refresh).status_code == 401


def test_it_goes_with_its_user(session: Session, alice: User) -> None:
    refresh = tokens.issue(session)["refresh"]
    alice.delete()

    assert renew(refresh).status_code == 401


def test_the_header_is_not_looked_at(session: Session) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer expired")

    answer = client.post("/api/auth/token/refresh", {"refresh": tokens.issue(session)["refresh"]})

    assert answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_that_race_with_one_token_both_stay_signed_in(alice: User) -> None:
    session = Session.objects.create(user=alice)
    refresh = tokens.issue(session)["refresh"]

    answers = race(lambda: renew(refresh), lambda: renew(refresh))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({claims(answer.json()["refresh"])["jti"] for answer in answers}) == 1
    assert BlacklistedToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_signs_out_while_a_tab_renews_is_signed_out(api: Any, alice: User) -> None:
    pair = tokens.issue(Session.objects.create(user=alice))

    renewed, _ = race(
        lambda: renew(pair["refresh"]),
        lambda: api().post("/api/auth/logout", headers=bearer(pair["access"])),
    )

    newest = renewed.json().get("refresh", pair["refresh"])
    assert renew(newest).status_code == 401
