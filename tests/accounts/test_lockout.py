"""Who guesses passwords is slowed down, and the owner is not shut out by it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import brakes
from accounts.models import User
from avicenna.metrics import sign_in_failures

PASSWORD, EMAIL = "saffron-and-rose", "erin@clinic.example"
WRONG = "wrong-and-wrong"
HOME, ELSEWHERE = "198.51.100.1", "203.0.113.9"


@pytest.fixture(autouse=True)
def erin(db: None) -> User:
    return User.objects.create_user(EMAIL, PASSWORD, name="Erin")


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`later(seconds)`: so long after."""
    passed = 0

    def wait(seconds: int) -> None:
        nonlocal passed
        passed += seconds

    real = brakes.clock
    monkeypatch.setattr(brakes, "clock", lambda: real() + passed)
    return wait


@pytest.fixture
def sign_in(api: Any) -> Any:
    def attempt(password: str = WRONG, email: str = EMAIL, address: str = ELSEWHERE, **headers: str) -> Any:
        return api(**headers).post("/api/auth/token", {"email": email, "password": password}, REMOTE_ADDR=address)

    return attempt


def codes(sign_in: Any, times: int, **given: Any) -> list[int]:
    return [sign_in(**given).status_code for _ in range(times)]


def test_after_five_wrong_passwords_one_waits(sign_in: Any) -> None:
    assert codes(sign_in, 5) == [401] * 5

    answer = sign_in(PASSWORD, accept_language="fa")

    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_requests")
    assert 0 < int(answer["Retry-After"]) <= 30
    assert "دوباره" in answer.json()["error"]["message"]


def test_each_failure_after_a_wait_doubles_the_next_up_to_a_quarter_of_an_hour(sign_in: Any, later: Any) -> None:
    codes(sign_in, 5)
    waits = []
    for _ in range(7):
        waits.append(int(sign_in()["Retry-After"]))
        later(waits[-1])
        assert sign_in().status_code == 401

    assert [round(wait / 30) for wait in waits] == [1, 2, 4, 8, 16, 30, 30]


def test_what_is_tried_during_the_wait_does_not_prolong_it(sign_in: Any, later: Any) -> None:
    codes(sign_in, 5)
    assert codes(sign_in, 10) == [429] * 10

    later(30)

    assert sign_in(PASSWORD).status_code == 200


def test_the_right_password_forgets_the_wrong_ones(sign_in: Any) -> None:
    assert codes(sign_in, 4) == [401] * 4
    assert sign_in(PASSWORD).status_code == 200
    assert codes(sign_in, 4) == [401] * 4
    assert sign_in(PASSWORD).status_code == 200


def test_a_stranger_elsewhere_does_not_shut_the_owner_out(sign_in: Any) -> None:
    codes(sign_in, 20, address=ELSEWHERE)

    assert sign_in(PASSWORD, address=HOME).status_code == 200


def test_many_addresses_are_slowed_down_together_and_the_owners_is_not(sign_in: Any) -> None:
    assert sign_in(PASSWORD, address=HOME).status_code == 200
    assert {sign_in(address=f"203.0.113.{n}").status_code for n in range(50)} == {401}

    assert sign_in(PASSWORD, address="192.0.2.77").status_code == 429
    assert sign_in(PASSWORD, address=HOME).status_code == 200


def test_an_unknown_account_is_answered_in_the_same_way(sign_in: Any) -> None:
    def answers(email: str) -> list[Any]:
        given = [sign_in(email=email) for _ in range(7)]
        return [(answer.status_code, answer.json(), answer.headers.get("Retry-After")) for answer in given]

    assert answers("nobody@clinic.example") == answers(EMAIL)


def test_the_address_in_any_case_is_one_account(sign_in: Any) -> None:
    codes(sign_in, 5, email="Erin@Clinic.example")

    assert sign_in(PASSWORD).status_code == 429


def test_one_ipv6_household_is_one_address(sign_in: Any) -> None:
    for n in range(5):
        sign_in(address=f"2001:db8:1:2::{n + 1}")

    assert sign_in(PASSWORD, address="2001:db8:1:2:ffff::1").status_code == 429
    assert sign_in(PASSWORD, address="2001:db8:1:3::1").status_code == 200


def test_the_admin_has_the_same_lock(client: Any, sign_in: Any, erin: User) -> None:
    erin.role = "head"
    erin.save()

    def enter(password: str) -> Any:
        form = {"username": EMAIL, "password": password}
        return client.post("/admin/login/", form, REMOTE_ADDR=ELSEWHERE, headers={"Accept": "text/html"})

    assert [enter("wrong-and-wrong").status_code for _ in range(3)] == [200] * 3
    codes(sign_in, 2)
    locked = enter(PASSWORD)

    assert (locked.status_code, 0 < int(locked["Retry-After"]) <= 30) == (429, True)
    assert "<html" in locked.content.decode()
    assert EMAIL not in locked.content.decode()


def test_refused_sign_ins_are_counted_by_reason(sign_in: Any) -> None:
    def counted() -> list[float]:
        return [sign_in_failures.labels(reason=reason)._value.get() for reason in ("password", "locked")]

    before = counted()
    codes(sign_in, 7)

    assert [after - b for after, b in zip(counted(), before, strict=True)] == [5, 2]
