"""A new password, and what it ends, at every door where one is set."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts.models import Session, User

OLD, NEW = "saffron-and-rose", "tulips-and-jasmine"


@pytest.fixture
def erin(db: None) -> User:
    return User.objects.create_user("erin@clinic.example", OLD, name="Erin")


def change(client: Any, current: str = OLD, new: str = NEW) -> Any:
    return client.post("/api/me/password", {"current": current, "new": new})


def sign_in(api: Any, password: str) -> int:
    return int(api().post("/api/auth/token", {"email": "erin@clinic.example", "password": password}).status_code)


def test_the_new_one_opens_and_the_old_one_does_not(api: Any, erin: User) -> None:
    assert change(api(erin)).status_code == 204

    assert [sign_in(api, OLD), sign_in(api, NEW)] == [401, 200]


def test_it_ends_the_other_sessions_and_the_admins(api: Any, erin: User, alice: User, client: Any) -> None:
    erin.role = "head"
    erin.save()
    client.force_login(erin)
    mine, other, hers = api(erin), api(erin), api(alice)

    assert change(mine).status_code == 204

    assert [who.get("/api/me").status_code for who in (mine, other, hers)] == [200, 401, 200]
    assert client.get("/admin/").status_code == 302


def test_without_the_present_one_nothing_changes(api: Any, erin: User) -> None:
    other = api(erin)

    answer = change(api(erin), current="not-the-one")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "wrong_password")
    assert list(answer.json()["error"]["fields"]) == ["current"]
    assert other.get("/api/me").status_code == 200


@pytest.mark.parametrize("weak", ["short", "password123", "erin@clinic.example"])
def test_a_weak_one_is_refused_with_the_reasons(api: Any, erin: User, weak: str) -> None:
    answer = change(api(erin), new=weak)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["new"])
    assert sign_in(api, OLD) == 200


def test_guessing_the_present_one_ends_after_ten(api: Any, erin: User) -> None:
    client = api(erin)

    answers = [change(client, current=f"guess-number-{n}") for n in range(21)]  # an hour may end in between

    assert {answer.status_code for answer in answers} == {400, 429}
    assert all(int(answer["Retry-After"]) > 0 for answer in answers if answer.status_code == 429)


def staff_sets_it(erin: User, sam: User, client: Any) -> None:
    client.force_login(sam)
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{erin.pk}/password/", form).status_code == 302


def one_changes_it_in_the_admin(erin: User, sam: User, client: Any) -> None:
    erin.role = "head"
    erin.save()
    client.force_login(erin)
    form = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/admin/password_change/", form).status_code == 302
    assert client.get("/admin/").status_code == 200  # there one stays


def an_operator_sets_it(erin: User, sam: User, client: Any) -> None:
    erin.set_password(NEW)  # what `manage.py changepassword` does
    erin.save()


@pytest.mark.parametrize("door", [staff_sets_it, one_changes_it_in_the_admin, an_operator_sets_it])
def test_at_every_other_door_it_ends_all_sessions(api: Any, erin: User, sam: User, client: Any, door: Any) -> None:
    signed_in = api(erin)
    assert signed_in.get("/api/me").status_code == 200

    door(erin, sam, client)

    assert signed_in.get("/api/me").status_code == 401
    assert sign_in(api, NEW) == 200


def test_a_new_account_has_nothing_to_end(db: None) -> None:
    User.objects.create_user("new@clinic.example", NEW)

    assert not Session.objects.exists()


def test_it_is_kept_as_owasp_asks_and_an_older_hash_is_renewed_at_the_next_sign_in(
    api: Any, erin: User, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = ["accounts.passwords.OwaspArgon2"]
    User.objects.update(password=Argon2PasswordHasher().encode(OLD, "salt-of-the-earth"))

    assert sign_in(api, OLD) == 200

    erin.refresh_from_db()
    assert erin.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert [sign_in(api, NEW), sign_in(api, OLD)] == [401, 200]
