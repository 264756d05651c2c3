"""What is known about a remedy, opened from its recommendation."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.thorough

LOADED = "img => img.decode().then(() => img.currentSrc)"
# Five others reported on the one; on the other nobody but Sara, if even she.
DESCRIBED, NOT_DESCRIBED = re.compile("Abdominal massage"), re.compile("Aloe")


def open_sheet(page: Page, remedy: re.Pattern[str]) -> Locator:
    page.locator(".recommendation", has_text=remedy).get_by_role("button", name="What is known").click()
    return page.get_by_role("dialog", name="What is known")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_comes_in_the_colours_of_the_page(watching: Page, theme: str) -> None:
    watching.emulate_media(color_scheme=theme)  # type: ignore[arg-type]

    picture = open_sheet(watching, DESCRIBED).locator("img")

    assert re.search(f"/abdominal-massage/chart.svg.lang=en&theme={theme}$", picture.evaluate(LOADED))
    said = re.sub("[\u2068\u2069]", "", picture.get_attribute("alt") or "")
    assert re.search(r"^Abdominal massage: \d+% effective \(\d+% to \d+%\), \d+ reports\.", said)


def test_the_picture_follows_the_language_and_the_colours(watching: Page) -> None:
    watching.click("#language")
    card = watching.locator(".recommendation", has_text="ماساژ شکم")
    card.get_by_role("button", name="آنچه").click()
    picture = watching.locator("dialog img")
    assert "lang=fa&theme=light" in picture.evaluate(LOADED)
    assert re.search("[۰-۹]+٪", picture.get_attribute("alt") or "")

    watching.emulate_media(color_scheme="dark")

    watching.wait_for_timeout(100)
    assert "lang=fa&theme=dark" in picture.evaluate(LOADED)


def test_it_fits_a_small_phone(watching: Page) -> None:
    watching.set_viewport_size({"width": 360, "height": 640})

    sheet = open_sheet(watching, DESCRIBED)
    sheet.locator("img").evaluate(LOADED)

    assert sheet.evaluate("sheet => [...sheet.querySelectorAll('*')].every(e => e.scrollWidth <= 360)")
    box = sheet.locator("img").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360


def test_too_few_patients_are_not_described(watching: Page) -> None:
    asked: list[str] = []
    watching.on("request", lambda request: asked.append(request.url))

    sheet = open_sheet(watching, NOT_DESCRIBED)

    expect(sheet).to_contain_text("once five patients or more have reported")
    expect(sheet.locator("img")).to_have_count(0)
    assert not [url for url in asked if "chart" in url]


@pytest.mark.parametrize("lost", ["**/api/analytics/remedies/abdominal-massage", "**/chart.svg*"])
def test_what_did_not_arrive_is_asked_for_again(watching: Page, lost: str) -> None:
    watching.route(lost, lambda route: route.abort(), times=1)

    sheet = open_sheet(watching, DESCRIBED)
    expect(sheet.get_by_role("alert")).to_be_visible()
    sheet.get_by_role("button", name="Try again").click()

    assert "chart.svg" in sheet.locator("img").evaluate(LOADED)


def test_closing_leads_back_to_where_it_was_opened(watching: Page) -> None:
    sheet = open_sheet(watching, NOT_DESCRIBED)
    expect(sheet).to_be_visible()

    watching.keyboard.press("Escape")

    expect(sheet).to_have_count(0)
    expect(watching.locator(".known:focus")).to_have_count(1)
