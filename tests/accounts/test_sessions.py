"""Where one is signed in, and ending it there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import tokens
from accounts.actions import end_sessions
from accounts.models import PushSubscription, Session, User

PASSWORD = "saffron-and-rose"
FIREFOX = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"


@pytest.fixture
def erin(db: None) -> User:
    return User.objects.create_user("erin@clinic.example", PASSWORD, name="Erin")


def signed_in(api: Any, **headers: str) -> Any:
    """A client that has signed in as Erin."""
    pair = api(**headers).post("/api/auth/token", {"email": "erin@clinic.example", "password": PASSWORD}).json()
    client = api(**headers)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    client.refresh = pair["refresh"]
    return client


def listed(client: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/me/sessions")
    assert answer.status_code == 200
    return list(answer.json()["results"])


def test_one_sees_where_one_is_signed_in(api: Any, erin: User, alice: User) -> None:
    phone, tablet = signed_in(api, user_agent=FIREFOX), signed_in(api)
    api(alice)

    sessions = listed(phone)

    assert [(session["device"], session["is_current"]) for session in sessions] == [
        ("", False),
        ("Firefox · Android", True),
    ]
    assert set(sessions[0]) == {"id", "device", "created_at", "seen_at", "is_current"}
    assert [session["is_current"] for session in listed(tablet)] == [True, False]


@pytest.mark.parametrize(("given", "agent", "name"), [
    ("Pixel 9", FIREFOX, "Pixel 9"),
    (FIREFOX, "", "Firefox · Android"),
    ("", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1",
     "Safari · iPhone"),
    ("", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
     "Edge · Windows"),
    ("", "Mozilla/5.0 (X11; Linux x86_64) Something/1.0", "Linux"),
    ("", "curl/8.5", ""),
])  # fmt: skip
def test_a_device_is_named_coarsely(api: Any, erin: User, given: str, agent: str, name: str) -> None:
    credentials = {"email": "erin@clinic.example", "password": PASSWORD, "device": given}
    api(user_agent=agent).post("/api/auth/token", credentials)

    assert Session.objects.get().device == name


def test_the_address_is_not_kept(api: Any, erin: User) -> None:
    api().post("/api/auth/token", {"email": erin.email, "password": PASSWORD}, REMOTE_ADDR="198.51.100.77")

    [kept] = Session.objects.values()
    assert "198.51.100.77" not in str(kept) and len(kept["address_digest"]) == 64


def test_another_session_is_ended_and_this_one_goes_on(api: Any, erin: User) -> None:
    mine, lost = signed_in(api), signed_in(api)
    [pk] = [session["id"] for session in listed(mine) if not session["is_current"]]
    PushSubscription.objects.create(session_id=pk, endpoint_digest="x", subscription={"endpoint": "x", "keys": {}})

    assert mine.delete(f"/api/me/sessions/{pk}").status_code == 204

    assert [client.get("/api/me").status_code for client in (mine, lost)] == [200, 401]
    assert api().post("/api/auth/token/refresh", {"refresh": lost.refresh}).status_code == 401
    assert not PushSubscription.objects.exists()
    assert mine.delete(f"/api/me/sessions/{pk}").status_code == 404


def test_somebody_elses_session_does_not_exist(api: Any, erin: User, alice: User, sam: User) -> None:
    hers = Session.objects.create(user=alice)

    answers = [client.delete(f"/api/me/sessions/{hers.pk}") for client in (signed_in(api), api(sam))]

    assert [answer.status_code for answer in answers] == [404, 404]
    hers.refresh_from_db()
    assert hers.ended_at is None


def test_what_has_run_out_is_not_listed(api: Any, erin: User) -> None:
    Session.objects.create(user=erin, seen_at=timezone.now() - timedelta(days=15))
    Session.objects.create(user=erin, ended_at=timezone.now())

    assert len(listed(signed_in(api))) == 1


@pytest.mark.parametrize(("minutes", "is_written"), [(9, False), (11, True)])
def test_when_it_was_seen_is_written_when_tokens_are_renewed_and_seldom(
    api: Any, erin: User, minutes: int, is_written: bool
) -> None:
    before = timezone.now() - timedelta(minutes=minutes)
    session = Session.objects.create(user=erin, seen_at=before)

    assert api().post("/api/auth/token/refresh", {"refresh": tokens.issue(session)["refresh"]}).status_code == 200

    session.refresh_from_db()
    assert (session.seen_at > before) is is_written


def test_everywhere_also_ends_the_admins_sessions(api: Any, sam: User, client: Any) -> None:
    client.force_login(sam)
    assert client.get("/admin/").status_code == 200

    assert api(sam).post("/api/auth/logout", {"everywhere": True}).status_code == 204

    assert client.get("/admin/").status_code == 302


def test_ending_nothing_wakes_no_socket(erin: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(4):  # a savepoint, messages, sessions; the clock of rights stands still
        end_sessions(user=erin)
