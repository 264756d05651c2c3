"""What ends a session, beside what goes on in it: whichever comes first, nothing is left open afterwards."""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts import actions, tokens
from accounts.models import Session, User
from feedback.models import Feedback
from tests.accounts.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = "saffron-and-rose", "tulips-and-jasmine"


@pytest.fixture(autouse=True)
def real_races() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time; only PostgreSQL runs the race.")


@pytest.fixture
def erin(db: None) -> User:
    return User.objects.create_user("erin@clinic.example", OLD, name="Erin")


def client(session: Session) -> APIClient:
    signed_in = APIClient()
    signed_in.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(session)['access']}")
    return signed_in


def change(signed_in: APIClient) -> Any:
    return signed_in.post("/api/me/password", {"current": OLD, "new": NEW})


@pytest.mark.parametrize("round", range(5))
def test_what_a_refresh_gets_beside_a_change_of_password_opens_nothing(erin: User, round: int) -> None:
    mine, lost = client(Session.objects.create(user=erin)), Session.objects.create(user=erin)
    refresh = tokens.issue(lost)["refresh"]

    changed, renewed = race(
        lambda: change(mine), lambda: APIClient().post("/api/auth/token/refresh", {"refresh": refresh})
    )

    assert changed.status_code == 204 and renewed.status_code in (200, 401)
    if renewed.status_code == 200:
        pair = renewed.json()
        assert APIClient().post("/api/auth/token/refresh", {"refresh": pair["refresh"]}).status_code == 401
        assert APIClient().get("/api/me", headers={"Authorization": f"Bearer {pair['access']}"}).status_code == 401
    assert mine.get("/api/me").status_code == 200


def test_a_sign_in_with_the_old_password_does_not_outlive_its_change(
    erin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, proven, goes_on = client(Session.objects.create(user=erin)), Event(), Event()
    demand = actions.second_factor.demand

    def slow(user: User, code: str) -> None:
        """Between the password and the session: here the change comes in."""
        demand(user, code)
        proven.set()
        goes_on.wait(30)

    monkeypatch.setattr("accounts.second_factor.demand", slow)

    def sign_in() -> Any:
        return APIClient().post("/api/auth/token", {"email": erin.email, "password": OLD})

    def change_then_go_on() -> Any:
        proven.wait(30)
        answer = change(mine)
        goes_on.set()
        return answer

    signed_in, changed = race(sign_in, change_then_go_on)

    assert (signed_in.status_code, changed.status_code) == (401, 204)
    assert erin.sessions.filter(ended_at=None).count() == 1


@pytest.mark.parametrize("round", range(5))
def test_a_report_beside_a_sign_out_is_kept_or_refused_and_nothing_after(alice: User, report: Any, round: int) -> None:
    session = Session.objects.create(user=alice)
    writing, leaving = client(session), client(session)

    sent, left = race(lambda: writing.post("/api/feedback/", report), lambda: leaving.post("/api/auth/logout", {}))

    assert left.status_code == 204 and sent.status_code in (201, 401)
    assert Feedback.objects.count() == (sent.status_code == 201)
    assert writing.post("/api/feedback/", report).status_code == 401


def test_two_that_end_one_session_both_see_it_ended(erin: User) -> None:
    mine, lost = Session.objects.create(user=erin), Session.objects.create(user=erin)
    address = f"/api/me/sessions/{lost.pk}"

    answers = race(lambda: client(mine).delete(address), lambda: client(mine).delete(address))

    assert {answer.status_code for answer in answers} <= {204, 404}
    lost.refresh_from_db()
    assert lost.ended_at
