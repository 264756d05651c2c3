"""The profile's own affairs: where one is signed in, the password, and the code of staff at the door."""

from __future__ import annotations

import time
from base64 import b32decode

import httpx
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PASSWORD, Server, sign_in

pytestmark = pytest.mark.thorough

SECRET = "ACDR6CSYIRBVD2VCS3V2U5LY7NDB5E4U"
ERIN = f"""
from accounts.models import User
User.objects.filter(email="erin@demo.example").delete()
User.objects.create_user("erin@demo.example", "{PASSWORD}", role="practitioner", name="Dr Erin")
"""
OLGA = f"""
from django.utils import timezone
from accounts.models import SecondFactor, User
olga = User.objects.create_user("olga@demo.example", "{PASSWORD}", role="head", name="Olga")
SecondFactor.objects.create(user=olga, secret="{SECRET}", confirmed_at=timezone.now())
"""


@pytest.fixture
def profile(page: Page, server: Server) -> Page:
    """Erin's, who is signed in on a tablet, too."""
    server.run(ERIN)
    sign_in(page, "erin@demo.example")
    page.get_by_role("link", name="Profile").click()
    return page


@pytest.fixture
def tablet(server: Server, profile: Page) -> httpx.Client:
    credentials = {"email": "erin@demo.example", "password": PASSWORD, "device": "Tablet"}
    pair = httpx.post(f"{server.url}/api/auth/token", json=credentials).json()
    profile.reload()
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {pair['access']}"})


def test_another_device_is_signed_out_from_the_profile(profile: Page, tablet: httpx.Client) -> None:
    devices = profile.locator("#devices .row")
    expect(devices).to_have_count(2)
    expect(devices.filter(has_text="This device")).to_contain_text("Chrome · Linux")

    devices.filter(has_text="Tablet").get_by_role("button").click()

    expect(devices).to_have_count(1)
    assert tablet.get("/api/me").status_code == 401


def test_a_new_password_signs_the_others_out(profile: Page, tablet: httpx.Client) -> None:
    expect(profile.locator("#devices .row")).to_have_count(2)
    profile.click("#change-password")
    profile.fill("#current", "not-the-one")
    profile.fill("#new", "tulips-and-jasmine")
    profile.click("#save-password")
    expect(profile.locator("#current-error")).to_have_text("This is not your present password.")
    expect(profile.locator("#current")).to_be_focused()

    profile.fill("#current", PASSWORD)
    profile.click("#save-password")

    expect(profile.locator("dialog")).to_have_count(0)
    expect(profile.locator(".rows > .notice")).to_contain_text("Your password is changed.")
    expect(profile.locator("#devices .row")).to_have_count(1)
    assert tablet.get("/api/me").status_code == 401


def test_staff_is_asked_for_the_code(page: Page, server: Server) -> None:
    server.run(OLGA)
    page.fill("#email", "olga@demo.example")
    page.fill("#password", PASSWORD)
    page.click("form .primary")
    expect(page.locator("#code")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("code of your authenticator app")

    page.fill("#code", "000000")
    page.click("form .primary")
    expect(page.locator("#code-error")).to_contain_text("wrong")
    page.fill("#code", TOTP(b32decode(SECRET), 6, SHA1(), 30).generate(time.time()).decode())  # noqa: S303
    page.click("form .primary")

    page.wait_for_selector(".tabs")


def test_the_admin_works_under_its_policy(page: Page, server: Server) -> None:
    server.run(OLGA.replace("olga@", "admin@"))
    refused: list[str] = []
    page.on("console", lambda said: "Content Security Policy" in said.text and refused.append(said.text))
    page.goto("/admin/")
    page.fill("#id_username", "admin@demo.example")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")
    page.fill("#code", TOTP(b32decode(SECRET), 6, SHA1(), 30).generate(time.time()).decode())  # noqa: S303
    page.press("#code", "Enter")
    page.wait_for_url("**/admin/")

    for path in ("", "diagnoses/remedy/", "accounts/user/add/", "accounts/session/"):
        page.goto(f"/admin/{path}")
        expect(page.locator("h1").first).to_be_visible()

    assert refused == []
