from __future__ import annotations

from typing import Any
from uuid import UUID

import jwt
import pytest

from accounts.models import Session, User

PASSWORD = "saffron-and-rose"


@pytest.fixture
def erin(db: None) -> User:
    return User.objects.create_user("erin@clinic.example", PASSWORD, name="Erin")


def sign_in(api: Any, email: str = "erin@clinic.example", password: str = PASSWORD, **more: Any) -> Any:
    return api().post("/api/auth/token", {"email": email, "password": password, **more})


def test_the_tokens_name_their_session(api: Any, erin: User) -> None:
    answer = sign_in(api, device="Pixel 9")

    session = Session.objects.get()
    assert (answer.status_code, session.user, session.device) == (200, erin, "Pixel 9")
    claims = [jwt.decode(token, options={"verify_signature": False}) for token in answer.json().values()]
    assert [UUID(claim["sid"]) for claim in claims] == [session.pk, session.pk]
    assert {(claim["aud"], claim["iss"]) for claim in claims} == {("avicenna", "avicenna")}


def test_the_access_token_lives_ten_minutes_and_opens_the_api(api: Any, erin: User) -> None:
    access = sign_in(api).json()["access"]

    claims = jwt.decode(access, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 600
    answer = api().get("/api/me", headers={"Authorization": f"Bearer {access}"})
    assert (answer.status_code, answer.json()["email"]) == (200, "erin@clinic.example")


def test_each_sign_in_is_a_session_of_its_own(api: Any, erin: User) -> None:
    sign_in(api, device="phone")
    sign_in(api, device="laptop")

    assert set(erin.sessions.values_list("device", flat=True)) == {"phone", "laptop"}


@pytest.mark.parametrize("email", ["ERIN@clinic.example", "Erin@Clinic.Example", " erin@clinic.example "])
def test_the_address_in_any_case(api: Any, erin: User, email: str) -> None:
    assert sign_in(api, email=email).status_code == 200


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(api: Any, erin: User) -> None:
    unknown, wrong = sign_in(api, email="nobody@clinic.example"), sign_in(api, password="saffron-and-roses")

    assert (unknown.status_code, unknown.json()) == (wrong.status_code, wrong.json())
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "wrong_credentials")
    assert not Session.objects.exists()


def test_a_password_is_taken_as_typed(api: Any, erin: User) -> None:
    assert [sign_in(api, password=typed).status_code for typed in (f" {PASSWORD}", PASSWORD.upper())] == [401, 401]


def test_a_deactivated_user_does_not_get_in(api: Any, erin: User) -> None:
    erin.is_active = False
    erin.save()

    answer = sign_in(api)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "wrong_credentials")


def test_signing_in_is_remembered(api: Any, erin: User) -> None:
    sign_in(api)

    erin.refresh_from_db()
    assert erin.last_login


def test_an_address_signs_in_thirty_times_a_minute(api: Any, db: None) -> None:
    answers = [api().post("/api/auth/token", {}) for _ in range(61)]  # a minute may end in between

    assert [answer.status_code for answer in answers[:30]] == [400] * 30
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited and all(0 < int(answer["Retry-After"]) <= 60 for answer in limited)
    assert set(limited[0].json()["error"]) == {"code", "message"}


def test_one_address_does_not_use_up_anothers_tries(api: Any, db: None) -> None:
    for _ in range(61):
        api().post("/api/auth/token", {})

    assert api().post("/api/auth/token", {}, REMOTE_ADDR="192.0.2.7").status_code == 400
