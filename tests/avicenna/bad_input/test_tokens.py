"""Tokens that sign nobody in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts import tokens
from accounts.models import Session
from tests.avicenna.bad_input.refusal import refused


def signed(session: Session, *, key: str = settings.SECRET_KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """An access token of the session, changed as said."""
    payload = tokens.issue(session)["access"]
    honest = jwt.decode(payload, options={"verify_signature": False})
    return jwt.encode(honest | claims, key, algorithm=algorithm)


FORGERIES: dict[str, Callable[[Session], str]] = {
    "expired": lambda s: signed(s, exp=1_600_000_000),
    "signed with another key": lambda s: signed(s, key="k" * 64),
    "not signed": lambda s: signed(s, key="", algorithm="none"),
    "for another audience": lambda s: signed(s, aud="elsewhere"),
    "from another issuer": lambda s: signed(s, iss="elsewhere"),
    "a refresh token": lambda s: tokens.issue(s)["refresh"],
    "of an unknown session": lambda s: signed(s, sid=str(uuid4())),
    "of no session": lambda s: str(AccessToken.for_user(s.user)),
    "with a broken session": lambda s: signed(s, sid=[1]),
    "with a NUL in the session": lambda s: signed(s, sid="\x00"),
    "broken": lambda s: "a.b.c",
    "in Persian": lambda s: "سلام".encode().decode("latin-1"),  # as a server hands it over
    "empty": lambda s: "",
    "two words": lambda s: "a b",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=list(FORGERIES))
def test_a_token_that_does_not_hold_signs_nobody_in(api: Any, alice: Any, report: Any, forge: Any) -> None:
    client = api()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {forge(Session.objects.create(user=alice))}".strip())

    assert refused(lambda: client.post("/api/feedback/", report), 401)["code"] == "not_authenticated"
    assert client.get("/api/me")["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Basic YTpi", "Token abc", "nonsense", "Bearer", "Bêarer x"])
def test_no_other_header_signs_in(api: Any, report: Any, header: str) -> None:
    client = api()
    client.credentials(HTTP_AUTHORIZATION=header)

    assert refused(lambda: client.post("/api/feedback/", report), 401)["code"] == "not_authenticated"


def test_a_token_ends_with_its_session(api: Any, alice: Any, report: Any) -> None:
    client = api(alice)
    Session.objects.update(ended_at=timezone.now())

    assert refused(lambda: client.post("/api/feedback/", report), 401)["code"] == "not_authenticated"


def test_a_token_ends_with_its_user(api: Any, alice: Any, report: Any) -> None:
    client = api(alice)
    alice.is_active = False
    alice.save()

    assert refused(lambda: client.post("/api/feedback/", report), 401)["code"] == "not_authenticated"


@pytest.mark.parametrize("given", ["", "abc", "\x00", "a" * 2001, None, 5, [], {}], ids=lambda value: repr(value)[:8])
def test_what_is_no_refresh_token_renews_nothing(api: Any, alice: Any, given: Any) -> None:
    answer = api().post("/api/auth/token/refresh", {"refresh": given})

    assert answer.status_code in (400, 401)
    assert "error" in answer.json()


def test_an_access_token_renews_nothing(api: Any, alice: Any) -> None:
    session = Session.objects.create(user=alice)
    wrong = [tokens.issue(session)["access"], str(RefreshToken.for_user(alice))]

    for given in wrong:
        error = refused(lambda given=given: api().post("/api/auth/token/refresh", {"refresh": given}), 401)
        assert error["code"] == "not_authenticated"
