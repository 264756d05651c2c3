"""The app around the screens: the door, the day, language, calendar, theme, and the way out."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PASSWORD, PHONE, Server, sign_in


@pytest.fixture
def home(page: Page) -> Page:
    sign_in(page, "sara@demo.example")
    page.wait_for_selector("a.link")
    return page


@pytest.fixture
def profile(home: Page) -> Page:
    home.get_by_role("link", name="Profile").click()
    home.wait_for_selector("#sign-out")
    return home


def fill_registration(page: Page, **typed: str) -> None:
    page.click("#other-mode")
    for field, text in typed.items():
        page.fill(f"#{field}", text)
    page.click("form .primary")


@pytest.mark.thorough
def test_the_clinic_is_there_before_its_modules_are(browser: Browser, server: Server) -> None:
    with closing(browser.new_context(**PHONE, base_url=server.url)) as context:
        page = context.new_page()
        page.route("**/vendor/preact.js", lambda route: route.abort())
        page.goto("/")

        expect(page.locator("#app")).to_have_text("Avicenna")


def test_a_new_patient_registers_and_is_in(page: Page) -> None:
    fill_registration(page, full_name="Nima Rad", email="nima@new.example", password="a-long-unusual-word")

    expect(page.locator("h1")).to_contain_text(re.compile("Nima"))
    expect(page.get_by_text("No active diagnosis")).to_be_visible()


@pytest.mark.thorough
def test_who_wants_to_says_birth_date_and_sex_and_half_a_date_is_not_sent(page: Page) -> None:
    page.click("#language")
    page.click("#other-mode")
    page.click(".about summary")
    page.fill("#birth-year", "۱۳۶۸")
    page.click("label[for=sex-female]")
    for field, text in [("full_name", "Rana"), ("email", "rana@new.example"), ("password", "a-long-unusual-word")]:
        page.fill(f"#{field}", text)
    page.click("form .primary")
    expect(page.locator("#birth_date-error")).to_be_visible()
    expect(page.locator("#birth-day")).to_be_focused()

    page.fill("#birth-day", "11")
    page.select_option("#birth-month", label="بهمن")
    page.click("form .primary")

    page.wait_for_selector(".tabs")
    record = page.evaluate(
        """async () => {
            const {get} = await import("/static/dashboard/api.js");
            return (await get("/api/patients/")).results[0];
        }"""
    )
    assert (record["birth_date"], record["sex"]) == ("1990-01-31", "female")


@pytest.mark.thorough
def test_each_field_says_what_is_wrong_with_it(page: Page) -> None:
    fill_registration(page, full_name="Sara", email="sara@demo.example", password="123")
    expect(page.locator("#password-error")).to_contain_text("too short")
    page.fill("#password", "a-long-unusual-word")
    page.fill("#full_name", "")
    page.click("form .primary")
    expect(page.locator("#full_name-error")).to_have_text("Please enter your name.")
    expect(page.locator("#full_name")).to_be_focused()

    page.fill("#full_name", "Sara")
    page.click("form .primary")

    expect(page.locator("#email-error")).to_have_text("This email is already registered.")


@pytest.mark.thorough
def test_what_was_reported_is_no_longer_due(home: Page) -> None:
    row = home.locator(".due li").first
    due = int(home.locator(".count").inner_text())
    name = row.get_by_role("heading").inner_text()

    row.get_by_role("button").click()
    home.click("label[for=rating-4]")
    home.click("label[for=symptom_improvement-4]")
    home.click("#sheet-send")

    expect(home.locator(".count")).to_have_text(str(due - 1))
    assert home.locator(".due li", has_text=name).count() <= 1  # the same remedy in the other diagnosis stays due


@pytest.mark.thorough
def test_a_report_from_another_device_changes_the_first_screen(home: Page, api: httpx.Client) -> None:
    due = int(home.locator(".count").inner_text())
    since = {"since": "2020-01-01T00:00:00Z"}
    recommendation = api.get("/api/feedback/due", params=since).json()[0]["id"]

    report = {"recommendation": recommendation, "rating": 5, "symptom_improvement": 5}
    assert api.post("/api/feedback/", json=report).status_code == 201

    expect(home.locator(".count")).to_have_text(str(due - 1))


def test_the_language_changes_without_reloading(home: Page, api: httpx.Client) -> None:
    home.evaluate("window.same = true")

    home.click("#language")

    expect(home.locator("html")).to_have_attribute("dir", "rtl")
    expect(home.locator("#due-title")).to_contain_text(re.compile("کارهای امروز.*[۰-۹]"))
    expect(home.locator("a.link").first).to_contain_text(re.compile("[\u0600-\u06ff]+.*شدت ۳ از ۵", re.S))
    assert home.evaluate("window.same")
    assert api.get("/api/me").json()["language"] == "fa"


@pytest.mark.thorough
def test_the_calendar_is_a_choice_of_its_own(profile: Page) -> None:
    profile.click("label[for=calendar-persian]")
    profile.get_by_role("link", name="Home").click()

    months = "Farvardin|Ordibehesht|Khordad|Tir|Mordad|Shahrivar|Mehr|Aban|Azar|Dey|Bahman|Esfand"
    expect(profile.locator(".greeting p")).to_contain_text(re.compile(months))


@pytest.mark.thorough
@pytest.mark.parametrize(("choice", "ground"), [("dark", "rgb(14, 19, 18)"), ("light", "rgb(245, 242, 235)")])
def test_the_theme_is_kept_on_the_device(profile: Page, choice: str, ground: str) -> None:
    profile.emulate_media(color_scheme="light" if choice == "dark" else "dark")
    profile.click(f"label[for=theme-{choice}]")
    expect(profile.locator("html")).to_have_css("background-color", ground)

    profile.reload()

    expect(profile.locator(f"#theme-{choice}")).to_be_checked()
    expect(profile.locator("html")).to_have_css("background-color", ground)


@pytest.mark.thorough
def test_signing_out_everywhere_ends_the_other_device_too(profile: Page, api: httpx.Client) -> None:
    profile.click("#sign-out-everywhere")
    profile.click("#confirm-everywhere")

    expect(profile.locator(".notice")).to_have_text("You are signed out on all your devices.")
    assert api.get("/api/me").status_code == 401


@pytest.mark.thorough
def test_signing_out_leaves_nothing_on_the_page(profile: Page) -> None:
    profile.click("#sign-out")

    expect(profile.locator("#email")).to_be_visible()
    expect(profile.locator(".tabs")).to_have_count(0)
    assert profile.evaluate("[location.hash, sessionStorage.length]") == ["#/", 0]


@pytest.mark.thorough
def test_an_address_that_leads_nowhere_says_so(home: Page) -> None:
    home.evaluate("location.hash = '#/nowhere'")

    expect(home.get_by_text("Nothing here", exact=True)).to_be_visible()


@pytest.mark.thorough
def test_the_ranking_follows_the_level_and_hides_what_does_not_reach_the_mark(watching: Page) -> None:
    watching.click("label[for=level-conservative]")
    expect(watching.locator(".counts").first).to_contain_text("Cautious estimate")
    watching.locator(".switch").click()

    # Two of the three have hardly any reports: their cautious end is far below.
    expect(watching.get_by_text(re.compile(r"[23] recommendations do not reach it\."))).to_be_visible()
    expect(watching.locator(".recommendation")).not_to_have_count(3)
    watching.locator(".switch").click()
    expect(watching.locator(".recommendation")).to_have_count(3)


def test_everything_can_be_reached_by_keyboard(page: Page) -> None:
    page.wait_for_selector("#email")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.focus("#email")
    page.keyboard.type("sara@demo.example")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("a.link")
    page.focus(".due button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="How did it go?")).to_be_visible()
    page.focus("#rating-1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#rating-2")).to_be_checked()

    page.keyboard.press("Escape")

    expect(page.locator(".due button").first).to_be_focused()


@pytest.mark.thorough
def test_nothing_to_touch_is_small_and_nothing_runs_off_the_page(watching: Page) -> None:
    small = "e => e.checkVisibility() && e.getBoundingClientRect().height < 44"
    touched = ".tabs a, main button, main a, .top a, .top button, .segments label, .switch"
    assert watching.eval_on_selector_all(touched, f"all => all.filter({small}).map(e => e.outerHTML)") == []

    watching.evaluate("document.documentElement.style.fontSize = '200%'")

    assert watching.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_is_allowed_nothing_inline_and_asks_no_other_host(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    refused: list[Any] = []
    page.on("console", lambda message: message.type == "error" and refused.append(message.text))
    policy = page.goto(server.url).headers["content-security-policy"]  # type: ignore[union-attr]
    page.wait_for_selector("#email")

    assert (refused, "unsafe" in policy) == ([], False)
    page.close()
