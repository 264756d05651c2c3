"""Pull to refresh, with a finger."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import sign_in

pytestmark = pytest.mark.thorough


@pytest.fixture
def home(page: Page) -> Page:
    sign_in(page, "sara@demo.example")
    page.wait_for_selector("a.link")
    return page


def pull(page: Page, *, by: int, start: int = 200) -> None:
    """One finger goes down, step by step, and is lifted."""
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 195, "y": start}]})
    for step in range(1, 11):
        at = {"x": 195, "y": start + by * step / 10}
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("motion", ["no-preference", pytest.param("reduce", marks=pytest.mark.thorough)])
def test_the_screen_is_asked_for_again(home: Page, motion: str) -> None:
    home.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    home.evaluate("window.same = true")

    with home.expect_response("**/api/feedback/due?*"):
        pull(home, by=220)
        expect(home.locator(".pull.busy")).to_be_visible()

    expect(home.locator(".pull")).to_have_count(0)
    expect(home.locator("#announcer")).to_have_text("Up to date.")
    assert home.evaluate("window.same")


def test_a_diagnosis_is_asked_for_again(watching: Page) -> None:
    with watching.expect_response("**/api/predictions/?*"):
        pull(watching, by=220)


def test_a_short_pull_a_scrolled_page_and_a_sheet_ask_nothing(home: Page) -> None:
    asked: list[str] = []
    home.on("request", lambda request: "/api/feedback/due" in request.url and asked.append(request.url))

    pull(home, by=60)
    home.locator(".due button").first.click()
    pull(home, by=220)
    home.keyboard.press("Escape")
    home.evaluate("document.documentElement.style.fontSize = '200%'")
    home.evaluate("scrollTo(0, 400)")
    pull(home, by=220)
    home.wait_for_timeout(300)

    assert asked == []
    expect(home.locator(".pull")).to_have_count(0)
