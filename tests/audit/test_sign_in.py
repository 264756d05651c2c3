"""Who came in at either door, and who was refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import second_factor
from accounts.models import User
from audit.models import AuditRecord

EMAIL, PASSWORD = "olga@clinic.example", "saffron-and-rose"


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user(EMAIL, PASSWORD, role="head", name="Olga")


def told() -> list[tuple[str, str, str]]:
    """Who, what and why, in order."""
    return list(AuditRecord.objects.order_by("id").values_list("actor_name", "action", "reason"))


def at_the_api(password: str, email: str = EMAIL, **more: str) -> int:
    status: int = (
        Client().post("/api/auth/token", {"email": email, "password": password} | more, "application/json").status_code
    )
    return status


def at_the_admin(password: str, email: str = EMAIL) -> Client:
    client = Client()
    client.post("/admin/login/?next=/admin/", {"username": email, "password": password}, follow=True)
    return client


def test_both_doors_tell_who_came_in_and_left(olga: User, api: Any) -> None:
    at_the_api(PASSWORD)
    client = at_the_admin(PASSWORD)
    client.get("/admin/accounts/user/")
    client.post("/admin/logout/")

    assert told() == [("Olga", "signed_in", ""), ("Olga", "signed_in", ""), ("Olga", "signed_out", "")]
    came, left = AuditRecord.objects.order_by("id")[1:]
    assert came.session == came.object_id == left.object_id and came.session.startswith("admin:")


def test_both_doors_tell_who_was_refused(olga: User) -> None:
    at_the_api("wrong")
    at_the_admin("wrong")

    assert told() == [("Olga", "refused", "password")] * 2
    assert set(AuditRecord.objects.values_list("network", "kind")) == {("127.0.0.0/24", "session")}


def test_an_account_that_does_not_exist_is_told_without_its_name(olga: User) -> None:
    at_the_api("wrong", "nobody@clinic.example")

    record = AuditRecord.objects.get()
    assert (record.actor, record.actor_name, record.reason) == (None, "", "password")
    assert len(record.object_id) == 32 and "nobody" not in str(AuditRecord.objects.values().get())


@pytest.mark.parametrize("email", [EMAIL, "nobody@clinic.example"])
def test_tries_of_who_must_wait_are_told_once(olga: User, email: str) -> None:
    assert [at_the_api("wrong", email) for _ in range(9)] == [401] * 5 + [429] * 4

    assert [why for _, _, why in told()] == ["password"] * 5 + ["locked"]


def test_a_wrong_code_is_told_and_opens_nothing(olga: User, settings: Any) -> None:
    settings.STAFF_TOTP_REQUIRED = True
    client = at_the_admin(PASSWORD)
    client.post("/admin/second-step/", {"code": "000000"})
    second_factor.SecondFactor.objects.update(confirmed_at=olga.date_joined)
    client.post("/admin/second-step/", {"code": "000000"})
    at_the_api(PASSWORD, code="000000")

    assert told() == [("Olga", "refused", "code")] * 3


def test_the_admin_tells_when_the_code_has_opened_it(olga: User, settings: Any) -> None:
    settings.STAFF_TOTP_REQUIRED = True
    client = at_the_admin(PASSWORD)
    assert told() == []

    factor = second_factor.SecondFactor.objects.get()
    totp = second_factor._totp(factor)
    client.post("/admin/second-step/", {"code": totp.generate(int(second_factor.time.time())).decode()})
    client.get("/admin/")

    assert told() == [("Olga", "signed_in", "")]
