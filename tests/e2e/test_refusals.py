"""What goes wrong is said in words a person understands, in both languages."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PHONE, Server, sign_in

pytestmark = pytest.mark.thorough

LANGUAGES = ["fa", pytest.param("en", marks=pytest.mark.thorough)]
WRONG_PASSWORD = {"en": "The email or the password is wrong.", "fa": "ایمیل یا گذرواژه نادرست است."}
AWAY = {"en": "The server cannot be reached.", "fa": "دسترسی به سرور ممکن نیست."}
UNAVAILABLE = {"en": "The server is not available right now.", "fa": "سرور فعلاً در دسترس نیست."}
ENDED = {
    "en": "Your session has ended. Please sign in again.",
    "fa": "نشست شما پایان یافته است. لطفاً دوباره وارد شوید.",
}
WHEN = {
    "en": r"Too many attempts\. Please try again (in \d+ seconds? \(at \d\d:\d\d\)|after \d\d:\d\d)\.",
    "fa": r"زیاد بود.*([۰-۹]+ ثانیه.*ساعت [۰-۹][۰-۹]:[۰-۹][۰-۹]|پس از ساعت [۰-۹][۰-۹]:[۰-۹][۰-۹])",
}
CHECK = {"en": "Please check the marked fields.", "fa": "لطفاً بخش‌های مشخص‌شده را بررسی کنید."}


def speak(page: Page, language: str) -> None:
    """The language that one has chosen."""
    page.evaluate(f"localStorage['avicenna.language'] = '{language}'")
    page.reload()
    page.wait_for_selector("h1")


def try_to_sign_in(page: Page) -> None:
    page.fill("#email", "sara@demo.example")
    page.fill("#password", "wrong")
    page.click("form .primary")


def said(page: Page) -> str:
    """By the alert, without the marks that keep the direction of a value to itself."""
    alert = page.get_by_role("alert")
    expect(alert).to_be_visible()
    return re.sub("[\u2068\u2069]", "", alert.inner_text())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wrong_password(page: Page, language: str) -> None:
    speak(page, language)
    try_to_sign_in(page)

    assert said(page) == WRONG_PASSWORD[language]
    expect(page.locator("#password")).to_be_focused()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_server_that_cannot_be_reached_and_one_that_a_proxy_waits_for(page: Page, language: str) -> None:
    speak(page, language)
    page.context.set_offline(True)
    try_to_sign_in(page)
    assert said(page).startswith(AWAY[language])

    page.context.set_offline(False)
    page.route("**/api/auth/token", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    try_to_sign_in(page)

    expect(page.get_by_role("alert")).to_contain_text(UNAVAILABLE[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_session_that_ended(watching: Page, language: str) -> None:
    speak(watching, language)
    watching.wait_for_selector("[data-state=live]")
    watching.evaluate(
        """async () => {
            const {access} = await (await import("/static/dashboard/vault.js")).recall("session");
            await fetch("/api/auth/logout", {method: "POST", headers: {Authorization: `Bearer ${access}`}});
        }"""
    )

    expect(watching.locator(".door .notice")).to_have_text(ENDED[language])


@pytest.fixture(scope="module")
def strict(server: Server) -> Iterator[Server]:
    """The same clinic, where requests are counted."""
    strict = Server(server.folder, RATELIMIT_ENABLE="1")
    strict.start()
    yield strict
    strict.stop()


def use_up(server: Server, path: str) -> None:
    """All tries, with enough of the time left in which none is allowed."""
    left = 0
    while left < 10:
        time.sleep(left)
        while (answer := httpx.post(f"{server.url}{path}", json={})).status_code != 429:
            pass
        left = int(answer.headers["Retry-After"])


@pytest.mark.parametrize("language", ["fa", "en"])
def test_too_many_tries_and_when_to_try_again(browser: Browser, strict: Server, language: str) -> None:
    use_up(strict, "/api/auth/token")
    use_up(strict, "/api/auth/register")
    context = browser.new_context(**PHONE, base_url=strict.url)
    page = context.new_page()
    page.goto("/")
    speak(page, language)
    try_to_sign_in(page)
    assert re.search(WHEN[language], said(page))

    page.click("#other-mode")
    for field, text in [("full_name", "Sara"), ("email", "x@new.example"), ("password", "a-long-unusual-word")]:
        page.fill(f"#{field}", text)
    page.click("form .primary")

    assert re.search(WHEN[language], said(page))
    context.close()


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_report_whose_field_is_refused(page: Page, server: Server, language: str) -> None:
    sign_in(page, "sara@demo.example")
    speak(page, language)
    page.locator(".due button").first.click()
    page.click("label[for=rating-4]")
    page.click("label[for=symptom_improvement-4]")
    page.select_option("#effect", "nausea")
    page.click("label[for=severity-nausea-2]")
    in_use = "from diagnoses.models import SideEffect; SideEffect.objects.filter(slug='nausea').update(is_active={})"
    server.run(in_use.format(False))
    try:
        page.click("#sheet-send")

        assert said(page) == CHECK[language]
        expect(page.locator("#effect-error")).to_contain_text("nausea")
        expect(page.locator("#effect")).to_be_focused()
        expect(page.locator("#rating-4")).to_be_checked()
    finally:
        server.run(in_use.format(True))  # the other tests share the clinic


def test_a_report_refused_for_what_the_form_does_not_show(page: Page, server: Server) -> None:
    sign_in(page, "sara@demo.example")
    page.locator(".due button").first.click()
    page.click("label[for=rating-4]")
    page.click("label[for=symptom_improvement-4]")
    refusal = {"error": {"code": "invalid", "message": "x", "fields": {"recommendation": ["It is gone."]}}}
    page.route("**/api/feedback/", lambda route: route.fulfill(status=400, json=refusal), times=1)

    page.click("#sheet-send")

    assert said(page) == "It is gone."


@pytest.mark.parametrize("screen", ["diagnoses", "history"])
def test_an_address_of_nothing(page: Page, screen: str) -> None:
    sign_in(page, "sara@demo.example")

    page.evaluate(f"location.hash = '#/{screen}/nonsense'")

    expect(page.get_by_text("There is nothing here, or you may not see it.").first).to_be_visible()
    expect(page.get_by_text(UNAVAILABLE["en"])).to_have_count(0)
