from __future__ import annotations

from typing import Any

import pytest

from accounts import tokens
from accounts.models import Session, User


@pytest.fixture
def session(alice: User) -> Session:
    return Session.objects.create(user=alice)


def bearer(access: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access}"}


def test_signing_out_ends_access_and_refresh_at_once(api: Any, session: Session) -> None:
    first, second = tokens.issue(session), tokens.issue(session)

    answer = api().post("/api/auth/logout", headers=bearer(first["access"]))

    assert (answer.status_code, answer.content) == (204, b"")
    assert [api().get("/api/me", headers=bearer(pair["access"])).status_code for pair in (first, second)] == [401, 401]
    renewed = [api().post("/api/auth/token/refresh", {"refresh": pair["refresh"]}) for pair in (first, second)]
    assert [answer.status_code for answer in renewed] == [401, 401]


def test_other_sessions_go_on(api: Any, session: Session, alice: User, bob: User) -> None:
    others = [api(alice), api(bob)]

    api().post("/api/auth/logout", headers=bearer(tokens.issue(session)["access"]))

    assert [other.get("/api/me").status_code for other in others] == [200, 200]


def test_the_time_is_kept(api: Any, session: Session) -> None:
    api().post("/api/auth/logout", headers=bearer(tokens.issue(session)["access"]))

    session.refresh_from_db()
    assert session.ended_at


def test_twice_is_once_too_often(api: Any, session: Session) -> None:
    access = tokens.issue(session)["access"]

    statuses = [api().post("/api/auth/logout", headers=bearer(access)).status_code for _ in range(2)]

    assert statuses == [204, 401]


def test_everywhere_ends_every_session_of_the_account_and_no_other(
    api: Any, session: Session, alice: User, bob: User
) -> None:
    mine, his = api(alice), api(bob)

    answer = api().post("/api/auth/logout", {"everywhere": True}, headers=bearer(tokens.issue(session)["access"]))

    assert answer.status_code == 204
    assert [client.get("/api/me").status_code for client in (mine, his)] == [401, 200]
