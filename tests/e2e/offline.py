"""What it takes to be without a network: the worker in charge, the screen kept, and a report that has to wait."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

# Whether what is on the screen lies on the device, too: it is kept when it has come to rest.
IS_KEPT = """async () => {
    const {recall} = await import("/static/dashboard/vault.js");
    const names = [`seen diagnosis ${location.hash.split("/").pop()}`, "seen today", "side effects"];
    const [diagnosis, ...others] = await Promise.all(names.map((name) => recall(name)));
    const shown = document.querySelectorAll(".event").length;
    return others.every(Boolean) && diagnosis?.data.ranking && shown && diagnosis.data.events.length === shown;
}"""


def wait_for_worker(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready")
    wait_until(page, "navigator.serviceWorker.controller !== null")


def wait_until(page: Page, holds: str, arg: Any = None) -> None:
    """Until `holds`, or the promise it gives, is true. `wait_for_function` takes the promise for it, and has the page
    evaluate a string, which its policy forbids."""
    for _ in range(200):
        if page.evaluate(holds, arg):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never within 20 s: {holds}")


def go_offline(page: Page) -> None:
    page.context.set_offline(True)


def report_offline(page: Page, comment: str) -> None:
    go_offline(page)
    fill_in(page, comment)
    page.click("#sheet-send")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".outbox [data-state=waiting]")).to_contain_text(comment)


def fill_in(page: Page, comment: str) -> None:
    page.locator(".report").first.click()
    page.click("label[for=rating-4]")
    page.click("label[for=symptom_improvement-5]")
    page.fill("#comment", comment)


def reports(api: httpx.Client, comment: str) -> list[dict[str, Any]]:
    everything = api.get("/api/feedback/", params={"page_size": 100}).json()["results"]
    return [report for report in everything if report["comment"] == comment]
