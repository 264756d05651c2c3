"""Authenticator apps: set up in the admin, asked for at every door of staff, each code once."""

from __future__ import annotations

import re
import time
from base64 import b32decode
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts import second_factor
from accounts.models import RecoveryCode, SecondFactor, User

PASSWORD, EMAIL = "saffron-and-rose", "olga@clinic.example"


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    settings.STAFF_TOTP_REQUIRED = True


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user(EMAIL, PASSWORD, name="Olga", role="head")


class App:
    """The phone's side."""

    def __init__(self, secret: str) -> None:
        self._totp = TOTP(b32decode(secret), 6, SHA1(), 30)  # noqa: S303  # what the apps know

    def code(self, step: int = 0) -> str:
        return self._totp.generate(time.time() + 30 * step).decode()


@pytest.fixture
def app(olga: User) -> App:
    """Olga's, in use since the step before; the codes of this step and of the next are fresh."""
    app = App(second_factor.begin(olga).secret)
    second_factor.confirm(olga, app.code(-1))
    return app


def sign_in(api: Any, code: str | None = None, **headers: str) -> Any:
    given = {"email": EMAIL, "password": PASSWORD} | ({} if code is None else {"code": code})
    return api(**headers).post("/api/auth/token", given)


def enter(client: Client) -> Any:
    """Past the password, to where the admin sends one."""
    return client.post("/admin/login/?next=/admin/", {"username": EMAIL, "password": PASSWORD}, follow=True)


def test_staff_without_an_app_gets_no_tokens(api: Any, olga: User, settings: Any) -> None:
    refused = sign_in(api, accept_language="fa")

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "second_factor_missing")
    assert "برنامه" in refused.json()["error"]["message"]
    settings.STAFF_TOTP_REQUIRED = False
    assert sign_in(api).status_code == 200


def test_an_app_is_set_up_on_the_way_into_the_admin(client: Client, api: Any, olga: User) -> None:
    page = enter(client)
    assert page.redirect_chain[-1][0].startswith("/admin/second-step/")
    shown = page.content.decode()
    [secret] = re.findall(r"<code dir=\"ltr\">([A-Z2-7]{32})</code>", shown)
    assert 'src="data:image/svg+xml' in shown
    assert client.get("/admin/accounts/user/").status_code == 302
    app = App(secret)

    done = client.post("/admin/second-step/", {"code": app.code()}).content.decode()

    recovery_codes = re.findall(r"<code>((?:[A-Z2-7]{4}-){3}[A-Z2-7]{4})</code>", done)
    assert len(set(recovery_codes)) == 10
    assert client.get("/admin/accounts/user/").status_code == 200
    assert sign_in(api, recovery_codes[0]).status_code == 200
    assert sign_in(api, recovery_codes[0].lower()).status_code == 401
    assert sign_in(api, recovery_codes[1].lower()).status_code == 200


def test_neither_secret_nor_recovery_codes_lie_in_the_database_readably(olga: User) -> None:
    secret = second_factor.begin(olga).secret
    codes = second_factor.confirm(olga, App(secret).code())

    kept = f"{list(SecondFactor.objects.values())}{list(RecoveryCode.objects.values())}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_secondfactor")
        kept += str(bytes(cursor.fetchone()[0]))
    assert not [text for text in (secret, *codes, *(code.replace("-", "") for code in codes)) if text in kept]


def test_tokens_ask_for_the_code_after_the_password(api: Any, app: App) -> None:
    asked, wrong = sign_in(api), sign_in(api, "000000")

    assert (asked.status_code, asked.json()["error"]["code"]) == (401, "code_required")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "wrong_code")
    assert list(wrong.json()["error"]["fields"]) == ["code"]
    assert sign_in(api, app.code()).status_code == 200


def test_a_wrong_password_is_not_told_from_a_missing_code(api: Any, app: App) -> None:
    answer = api().post("/api/auth/token", {"email": EMAIL, "password": "wrong-and-wrong", "code": app.code()})

    assert answer.json()["error"]["code"] == "wrong_credentials"
    assert sign_in(api, app.code()).status_code == 200  # and the code was not used up


def test_a_code_opens_once(api: Any, app: App, client: Client) -> None:
    code = app.code()
    assert sign_in(api, code).status_code == 200

    assert sign_in(api, code).json()["error"]["code"] == "wrong_code"
    enter(client)
    assert client.post("/admin/second-step/", {"code": code}).status_code == 200  # the page again
    assert client.get("/admin/").status_code == 302
    assert sign_in(api, app.code(1)).status_code == 200
    assert sign_in(api, app.code(-1)).status_code == 401  # older than one that was used


def test_the_admin_opens_after_the_code_and_leads_on(api: Any, app: App, client: Client) -> None:
    enter(client)

    answer = client.post("/admin/second-step/?next=/admin/accounts/user/", {"code": app.code()})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/accounts/user/")
    assert client.get("/admin/accounts/user/").status_code == 200


def test_it_leads_nobody_elsewhere(app: App, client: Client) -> None:
    enter(client)

    answer = client.post("/admin/second-step/?next=https://evil.example/", {"code": app.code()})

    assert answer["Location"] == "/admin/"


def test_after_five_wrong_codes_even_the_right_one_waits(api: Any, app: App, client: Client) -> None:
    assert {sign_in(api, "000000").status_code for _ in range(5)} == {401}

    locked = sign_in(api, app.code())

    assert (locked.status_code, 0 < int(locked["Retry-After"]) <= 30) == (429, True)
    enter(client)
    client.post("/admin/second-step/", {"code": app.code(1)})
    assert client.get("/admin/").status_code == 302


def test_who_is_no_staff_has_no_second_step(client: Client, bob: User) -> None:
    client.force_login(bob)

    assert client.get("/admin/second-step/")["Location"] == "/admin/login/"


def test_a_lost_phone_ends_everything_and_another_is_set_up(
    client: Client, api: Any, app: App, olga: User, capsys: Any
) -> None:
    access = sign_in(api, app.code()).json()["access"]
    enter(client)
    client.post("/admin/second-step/", {"code": app.code(1)})
    assert client.get("/admin/").status_code == 200

    call_command("reset_second_factor", EMAIL)

    assert "signed out everywhere" in capsys.readouterr().out
    assert api().get("/api/me", headers={"Authorization": f"Bearer {access}"}).status_code == 401
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert "<img" in enter(client).content.decode()
    with pytest.raises(CommandError, match="no such account"):
        call_command("reset_second_factor", "nobody@clinic.example")


@pytest.mark.django_db(transaction=True)
def test_of_two_that_race_with_one_code_exactly_one_gets_in(api: Any, app: App) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time; only PostgreSQL runs the race.")
    start, code = Barrier(2), app.code()

    def race(_: int) -> int:
        start.wait()
        try:
            return int(sign_in(api, code).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(race, range(2))) == [200, 401]
