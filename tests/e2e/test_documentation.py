"""The API's documentation, as a browser draws it under its policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.conftest import Server

pytestmark = pytest.mark.thorough


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A request that would reach another host fails the test."""
    page = browser.new_page(base_url=server.url)
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    yield page
    outside = [request for request in requests if not request.url.startswith((server.url, "blob:"))]
    assert [request.url for request in outside if request.failure != "csp"] == []
    page.close()


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documentation_is_drawn(page: Page, path: str) -> None:
    page.goto(path)

    expect(page.get_by_role("heading", name="Avicenna")).to_be_visible()
    expect(page.get_by_text("/api/feedback/").first).to_be_attached()


def test_redoc_can_be_searched(page: Page) -> None:
    page.goto("/redoc")

    page.get_by_placeholder("Search").fill("withdraw")

    expect(page.locator("[data-role='search:results']")).to_contain_text("feedback")
