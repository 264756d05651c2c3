"""A patient sees who looked at the record."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import sign_in

pytestmark = pytest.mark.thorough


def test_a_patient_sees_who_looked_at_the_record(page: Page, practitioner: httpx.Client) -> None:
    [sara] = [
        one for one in practitioner.get("/api/patients/?page_size=100").json()["results"] if one["full_name"] == "Sara"
    ]
    practitioner.get(f"/api/patients/{sara['id']}/")
    sign_in(page, "sara@demo.example")

    page.locator(".tabs a").last.click()
    page.click("#access-log")

    newest = page.locator(".access li").first
    expect(newest).to_contain_text("Dr Amini")
    expect(newest).to_contain_text(re.compile("Looked at .*your record"))
    expect(page.locator(".tabs a").last).to_have_attribute("aria-current", "page")

    page.locator("#also-own").check(force=True)
    expect(page.locator(".access li").first).to_contain_text("You")

    page.click("#language")
    expect(page.get_by_text(re.compile("پروندهٔ شما.*را دید")).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
