"""A patient's past: ratings and effectiveness over time, and the reports that can still be changed."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, sign_in

pytestmark = pytest.mark.thorough


@pytest.fixture
def given(api: httpx.Client) -> list[dict[str, Any]]:
    """The recommendations of the diagnosis that the screen shows first."""
    diagnosis = api.get("/api/diagnoses/").json()["results"][0]["id"]
    found: list[dict[str, Any]] = api.get(f"/api/diagnoses/{diagnosis}/recommendations/").json()
    return [row for row in found if row["status"] == "active"]


def report(api: httpx.Client, recommendation: dict[str, Any], rating: int, **fields: Any) -> dict[str, Any]:
    said = {"recommendation": recommendation["id"], "rating": rating, "symptom_improvement": rating, **fields}
    answer = api.post("/api/feedback/", json=said)
    assert answer.status_code == 201
    stored: dict[str, Any] = answer.json()
    return stored


@pytest.fixture
def told(api: httpx.Client, given: list[dict[str, Any]]) -> dict[str, Any]:
    """A report of today, the newest one."""
    return report(api, given[0], 2, comment="not much")


@pytest.fixture
def history(page: Page, told: dict[str, Any]) -> Page:
    sign_in(page, "sara@demo.example")
    page.get_by_role("link", name="History").click()
    page.wait_for_selector(".chart svg")
    page.wait_for_selector(f"[data-id='{told['id']}']")
    return page


def course(page: Page, recommendation: dict[str, Any]) -> Any:
    return page.locator(".course", has=page.get_by_role("heading", name=recommendation["remedy_name"], exact=True))


def test_the_charts_are_fetched_when_they_are_looked_at(page: Page, told: dict[str, Any]) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    sign_in(page, "sara@demo.example")
    page.wait_for_selector("a.link")
    assert [url for url in asked if "/history/" in url] == []

    page.get_by_role("link", name="History").click()

    expect(page.locator(".chart svg").first).to_be_visible()
    assert [url for url in asked if url.endswith("/history/chart.js")]


def test_every_report_is_a_dot_and_a_row_in_words(history: Page, given: Any, told: Any, api: httpx.Client) -> None:
    card = course(history, given[0])
    reports = api.get(f"/api/feedback/?recommendation={given[0]['id']}").json()["count"]

    expect(card.locator(".dot")).to_have_count(reports)
    expect(card.locator("figcaption").first).to_contain_text(re.compile("A little.*2 of 5"))
    expect(card.get_by_role("img", name=re.compile("Estimated effectiveness of .*likely between"))).to_be_visible()
    card.get_by_text("As a table").click()
    expect(card.get_by_role("table").first.get_by_role("row")).to_have_count(reports + 1)
    expect(card.get_by_role("table").first).to_contain_text(re.compile("2 of 5: .*A little"))


def test_a_report_from_another_device_appears_in_the_chart(history: Page, given: Any, api: httpx.Client) -> None:
    dots = course(history, given[0]).locator(".dot")
    before = dots.count()

    stored = report(api, given[0], 5)

    expect(dots).to_have_count(before + 1)
    expect(history.locator(f"[data-id='{stored['id']}']")).to_contain_text("Very well")


def test_a_report_can_be_changed(history: Page, told: Any, api: httpx.Client) -> None:
    card = history.locator(f"[data-id='{told['id']}']")
    card.get_by_role("button", name="Change").click()
    expect(history.locator("#comment")).to_have_value("not much")

    history.click("label[for=rating-4]")
    history.fill("#comment", "better after all")
    history.click("#sheet-send")

    expect(card).to_contain_text("better after all")
    stored = api.get(f"/api/feedback/{told['id']}/").json()
    assert (stored["rating"], stored["symptom_improvement"], stored["comment"]) == (4, 2, "better after all")


def test_a_withdrawn_report_leaves_the_list_and_can_be_looked_up(history: Page, told: Any) -> None:
    card = history.locator(f"[data-id='{told['id']}']")
    card.get_by_role("button", name="Withdraw").click()
    history.click("#confirm-withdraw")
    expect(card).to_have_count(0)

    history.locator(".switch").click()

    expect(card.get_by_text("withdrawn")).to_be_visible()
    expect(card.get_by_role("button")).to_have_count(0)


def test_what_was_withdrawn_meanwhile_cannot_be_changed_and_says_why(history: Page, told: Any, api: Any) -> None:
    history.locator(f"[data-id='{told['id']}']").get_by_role("button", name="Change").click()
    api.delete(f"/api/feedback/{told['id']}/")

    history.click("#sheet-send")

    expect(history.locator(".sheet").get_by_role("alert")).to_contain_text("This feedback was withdrawn.")


def test_an_old_report_is_no_longer_changed(page: Page, server: Server, given: Any, told: Any) -> None:
    long_ago = "from feedback.actions import submit; from datetime import datetime, timedelta, UTC; submit("
    server.run(
        f"{long_ago}actor=None, recommendation_id='{given[1]['id']}', rating=1, symptom_improvement=1, "
        "comment='long ago', at=datetime.now(UTC) - timedelta(days=40))"
    )
    sign_in(page, "sara@demo.example")
    page.get_by_role("link", name="History").click()
    page.select_option("#of-remedy", given[1]["id"])
    page.select_option("#of-mark", "not")

    card = page.locator(".report-card", has_text="long ago")
    expect(card).to_contain_text("Reports can be changed for 30 days.")
    expect(card.get_by_role("button")).to_have_text(["Withdraw"])


def test_the_filters_leave_what_was_asked_for(history: Page, given: Any, told: Any, api: httpx.Client) -> None:
    good = report(api, given[0], 5)
    expect(history.locator(f"[data-id='{good['id']}']")).to_be_visible()

    history.select_option("#of-mark", "not")

    expect(history.locator(f"[data-id='{told['id']}']")).to_be_visible()
    expect(history.locator(f"[data-id='{good['id']}']")).to_have_count(0)


def test_in_persian_time_runs_to_the_left_and_is_solar(history: Page) -> None:
    history.click("#language")

    months = "فروردین|اردیبهشت|خرداد|تیر|مرداد|شهریور|مهر|آبان|آذر|دی|بهمن|اسفند"
    chart = history.locator(".chart").first
    expect(chart.locator("text").last).to_have_text(re.compile(f"^[۰-۹]+ ({months})$"))
    newest = chart.locator(".here").evaluate("dot => Number(dot.getAttribute('cx'))")
    assert newest < 30  # today is at the left end


def test_the_past_of_a_diagnosis_is_a_step_away_from_it(watching: Page, told: Any) -> None:
    watching.get_by_role("link", name="Over time").click()

    expect(watching.locator("h1")).to_contain_text("History:")
    expect(watching.locator("#courses-title")).to_be_visible()
    expect(watching.locator(".tabs [aria-current]")).to_have_text("History")


def test_large_text_leaves_room_between_the_dates(history: Page) -> None:
    history.click("label[for=span-365]")
    history.evaluate("document.documentElement.style.fontSize = '200%'")
    history.set_viewport_size({"width": 391, "height": 844})  # measured anew

    dates = ".course:first-child .chart:first-of-type text[text-anchor=middle]"
    expect(history.locator(dates).first).to_be_visible()
    boxes = sorted((box["x"], box["width"]) for text in history.locator(dates).all() if (box := text.bounding_box()))
    assert all(x + width <= after for (x, width), (after, _) in pairwise(boxes))
