"""Why is this token not taken?"""

from __future__ import annotations

from io import StringIO
from typing import Any

import jwt
import pytest
from django.core.management import call_command

from accounts import tokens
from accounts.actions import sign_out
from accounts.models import Session
from avicenna.identifiers import new_id
from tests.avicenna.doctor.conftest import Doctor


@pytest.fixture
def session(alice: Any) -> Session:
    return Session.objects.create(user=alice)


def changed(token: str, settings: Any, **claims: Any) -> str:
    """The same token with other claims, signed as the clinic does."""
    read = jwt.decode(token, options={"verify_signature": False}) | claims
    return jwt.encode(read, settings.SECRET_KEY, algorithm="HS256")


def test_a_good_token(doctor: Doctor, session: Session) -> None:
    assert doctor("token", "--token", tokens.issue(session)["access"]) == {}


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"exp": 1_700_000_000}, "it expired at 2023-11-14 22:13:20 UTC"),
        ({"iat": 4_000_000_000}, "it was issued in the future"),
        ({"aud": "elsewhere"}, "it is for another audience"),
        ({"iss": "elsewhere"}, "it is of another issuer"),
        ({"sid": str(new_id())}, "its session is not in this database"),
        ({"sid": "nonsense"}, "its session is not in this database"),
    ],
)
def test_a_token_with_one_thing_wrong(
    doctor: Doctor, session: Session, settings: Any, claims: dict[str, Any], said: str
) -> None:
    assert list(doctor("token", "--token", changed(tokens.issue(session)["access"], settings, **claims))) == [said]


def test_a_token_of_another_key(doctor: Doctor, session: Session, settings: Any) -> None:
    settings.SECRET_KEY = "another" * 10
    token = changed(tokens.issue(session)["access"], settings)

    assert list(doctor("token", "--token", token)) == ["it was signed with another key, or changed"]


def test_what_is_no_token(doctor: Doctor) -> None:
    assert list(doctor("token", "--token", "abc")) == ["this is no token"]


def test_a_token_whose_session_ended(doctor: Doctor, session: Session) -> None:
    token = tokens.issue(session)["access"]
    sign_out(session=session)

    assert "its session ended at" in next(iter(doctor("token", "--token", token)))


def test_a_token_of_somebody_who_may_no_longer(doctor: Doctor, session: Session) -> None:
    session.user.is_active = False
    session.user.save(update_fields=["is_active"])

    assert list(doctor("token", "--token", tokens.issue(session)["access"])) == ["its user is not active"]


def test_a_refresh_token_that_was_used(doctor: Doctor, session: Session, api: Any) -> None:
    refresh = tokens.issue(session)["refresh"]
    assert api().post("/api/auth/token/refresh", {"refresh": refresh}).status_code == 200

    assert list(doctor("token", "--token", refresh)) == ["it is a refresh token", "it was used before"]


def test_neither_token_nor_person_is_named(session: Session) -> None:
    token, said = tokens.issue(session)["access"], StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--only", "token", "--only", "worker", "--token", token, stdout=said)

    assert not any(part in said.getvalue() for part in (*token.split("."), "alice", str(session.pk)))
