"""Everybody can use it: WCAG 2.2 AA by axe, room for a finger, large text, the keyboard, and a screen reader."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PASSWORD, PHONE, Server
from tests.e2e.inspection import INSPECTIONS, inspect, lost_at_twice_the_size, too_small, violations
from tests.e2e.walks import DEMO, LONG_WORDS, WALKS, Walk

LOOKS = [(language, theme) for language in ("en", "fa") for theme in ("light", "dark")]

Found = dict[str, dict[str, list[str]]]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Server]:
    """The demonstration clinic: people with a past."""
    server = Server(tmp_path_factory.mktemp("demonstration"))
    server.run(DEMO)
    server.run(LONG_WORDS)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module", params=LOOKS, ids="-".join)
def look(request: pytest.FixtureRequest) -> tuple[str, str]:
    language, theme = request.param
    return language, theme


@pytest.fixture(scope="module", params=WALKS, ids=lambda walk: walk.__name__)
def found(request: pytest.FixtureRequest, browser: Browser, clinic: Server, look: tuple[str, str]) -> Found:
    """What is wrong with each screen of a walk, by inspection."""
    language, theme = look
    context = browser.new_context(**PHONE, color_scheme=theme, reduced_motion="reduce", base_url=clinic.url)
    context.add_init_script(f"localStorage['avicenna.language'] = '{language}'")
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/")
    walk: Walk = request.param
    seen = {}
    for name in walk(page):
        page.wait_for_timeout(300)  # what is drawn late is drawn
        seen[name] = inspect(page)
    context.close()
    return seen


@pytest.mark.thorough
@pytest.mark.parametrize("inspection", INSPECTIONS)
def test_nothing_is_wrong_with_any_screen(found: Found, inspection: str) -> None:
    assert {name: wrong[inspection] for name, wrong in found.items() if wrong[inspection]} == {}


@pytest.mark.thorough
def test_the_door_is_open_to_everybody(page: Page) -> None:
    page.wait_for_selector("h1")

    assert inspect(page) == {inspection: [] for inspection in INSPECTIONS}


def test_a_diagnosis_in_persian_and_the_dark_is_readable(watching: Page) -> None:
    watching.emulate_media(color_scheme="dark", reduced_motion="reduce")
    watching.click("#language")
    watching.wait_for_selector(".recommendation")

    assert violations(watching) == []
    watching.locator(".report").first.click()
    assert (violations(watching), too_small(watching)) == ([], [])


@pytest.mark.thorough
def test_nothing_of_a_diagnosis_is_small_or_lost_in_large_text(watching: Page) -> None:
    watching.wait_for_selector(".recommendation")

    assert (too_small(watching), lost_at_twice_the_size(watching)) == ([], [])


TAB_LIMIT = 80


def tab_to(page: Page, selector: str) -> None:
    """By nothing but the Tab key; whatever has the focus on the way is seen to have it."""
    for _ in range(TAB_LIMIT):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        if focused.count():
            expect(focused).to_be_in_viewport()
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"{selector} is not reached by the Tab key")


@pytest.mark.thorough
def test_the_main_way_needs_no_pointer(page: Page, api: httpx.Client) -> None:
    before = api.get("/api/feedback/").json()["count"]
    page.wait_for_selector("#email")
    tab_to(page, "#email")
    page.keyboard.type("sara@demo.example")
    tab_to(page, "#password")
    page.keyboard.type(PASSWORD)
    tab_to(page, "form .primary")
    page.keyboard.press("Enter")
    page.wait_for_selector("a.link")
    tab_to(page, "a.link")
    page.keyboard.press("Enter")
    page.wait_for_selector(".recommendation")
    tab_to(page, "input[name=level]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#level-aggressive")).to_be_checked()
    tab_to(page, ".report")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="How did it go?")).to_be_visible()
    for scale in ("rating", "symptom_improvement"):
        tab_to(page, f"input[name={scale}]")
        page.keyboard.press("ArrowRight")
    tab_to(page, "#sheet-send")
    page.keyboard.press("Enter")

    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".report:focus")).to_have_count(1)  # back where one came from
    expect(page.locator(".event.fresh[data-type=feedback_update]")).to_be_visible()
    assert api.get("/api/feedback/").json()["count"] == before + 1


DIAGNOSIS_READ_ALOUD = r"""
- main:
  - link "All diagnoses"
  - heading /.+/ [level=1]
  - status: Live
  - region "Overall effectiveness":
    - heading "Overall effectiveness" [level=2]
    - paragraph: /Likely between .\d+%. and .\d+%/
    - paragraph:
      - link "Over time"
  - button /Latest · \d\d:\d\d/
  - region "Recommendations":
    - heading "Recommendations" [level=2]
    - group "How to rank":
      - radio "Cautious"
      - radio "Balanced" [checked]
      - radio "Bold"
    - switch /Only show what reaches/
    - list:
      - listitem:
        - paragraph: Place 1
        - heading /.+/ [level=3]
        - paragraph:
          - strong: /\d+%/
          - text: chance to help
        - paragraph: /Likely between .\d+%. and .\d+%/
        - heading "Why" [level=4]
        - list:
          - listitem: /.+/
        - button /What is known. .+/
        - button /Give feedback on .+/
      - listitem:
        - paragraph: Place 2
  - region "What happened":
    - heading "What happened" [level=2]
    - list:
      - listitem:
        - paragraph: /.+/
"""


@pytest.mark.thorough
def test_a_screen_reader_is_told_all_of_a_diagnosis(watching: Page) -> None:
    watching.wait_for_selector(".recommendation")

    expect(watching.locator("body")).to_match_aria_snapshot(DIAGNOSIS_READ_ALOUD)


@pytest.mark.thorough
def test_what_arrives_is_said_once_and_politely(watching: Page, api: httpx.Client) -> None:
    voice = watching.locator("#announcer")
    expect(voice).to_have_attribute("aria-live", "polite")
    recommendation = watching.locator(".recommendation").first.get_attribute("data-id")

    api.post("/api/feedback/", json={"recommendation": recommendation, "rating": 5, "symptom_improvement": 5})

    expect(voice).to_have_text(re.compile("."))
    assert watching.locator("[aria-live]").count() == 1


@pytest.mark.thorough
def test_nothing_moves_for_who_wants_stillness(watching: Page, api: httpx.Client) -> None:
    watching.emulate_media(reduced_motion="reduce")
    recommendation = watching.locator(".recommendation").last.get_attribute("data-id")

    api.post("/api/feedback/", json={"recommendation": recommendation, "rating": 5, "symptom_improvement": 5})

    expect(watching.locator(".recommendation.fresh").first).to_be_visible()
    moving = "document.getAnimations().map(({effect}) => effect.getComputedTiming().duration).filter((ms) => ms > 1)"
    assert watching.evaluate(moving) == []


# What a colour says, words say too.
COLOURED = ".connection, [data-trend], .notice, .outbox [data-state], .pill, .tabs .badge, .severity"


@pytest.mark.thorough
def test_colour_is_never_the_only_sign(watching: Page, api: httpx.Client) -> None:
    recommendation = watching.locator(".recommendation").first.get_attribute("data-id")
    api.post("/api/feedback/", json={"recommendation": recommendation, "rating": 1, "symptom_improvement": 1})
    expect(watching.locator(".recommendation .pill").first).to_be_visible()

    coloured = watching.locator(COLOURED)

    assert coloured.count() > 3
    assert [text for text in coloured.all_inner_texts() if not re.search(r"\w", text)] == []
