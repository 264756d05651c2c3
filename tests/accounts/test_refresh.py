from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import jwt
import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import tokens
from accounts.models import Session, User


@pytest.fixture
def session(alice: User) -> Session:
    return Session.objects.create(user=alice)


def renew(refresh: str) -> Any:
    return APIClient().post("/api/auth/token/refresh", {"refresh": refresh})


def test_a_refresh_token_is_exchanged_for_a_new_pair_of_the_same_session(api: Any, session: Session) -> None:
    old = tokens.issue(session)

    new = renew(old["refresh"]).json()

    assert set(new) == {"access", "refresh"} and not set(new.values()) & set(old.values())
    sids = {jwt.decode(token, options={"verify_signature": False})["sid"] for token in new.values()}
    assert sids == {str(session.pk)}
    assert api().get("/api/me", headers={"Authorization": f"Bearer {new['access']}"}).status_code == 200


def test_it_is_exchanged_once(session: Session) -> None:
    old = tokens.issue(session)["refresh"]
    new = renew(old).json()["refresh"]

    again = renew(old)

    assert (again.status_code, again.json()["error"]["code"]) == (401, "not_authenticated")
    assert renew(new).status_code == 200


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
def test_of_two_that_race_with_one_token_exactly_one_wins(alice: User) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time; only PostgreSQL runs the race.")
    refresh = tokens.issue(Session.objects.create(user=alice))["refresh"]
    start = Barrier(2)

    def race(_: int) -> int:
        start.wait()
        try:
            return int(renew(refresh).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(race, range(2))) == [200, 401]
