"""A practitioner opens the record of another's patient in an emergency, and it stands there that they did."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PASSWORD, Server, sign_in, signed_in

pytestmark = pytest.mark.thorough

ANOTHER = f"""
from accounts.models import User
User.objects.create_user("dr.other@demo.example", "{PASSWORD}", role="practitioner", name="Dr Other")
"""


def test_a_record_is_opened_by_its_number_and_a_reason(page: Page, server: Server) -> None:
    server.run(ANOTHER)
    for other in signed_in(server, "dr.other@demo.example"):
        number = other.post("/api/patients/", json={"full_name": "Nasrin of another"}).json()["id"]
    sign_in(page, "dr.amini@demo.example")
    page.click("#break-glass")
    page.fill("#number", "no number")
    page.fill("#reason", "fainted")
    page.click("#sheet-send")
    expect(page.locator("#number-error")).to_be_visible()
    page.fill("#number", f" {number} ")
    page.click("#sheet-send")
    expect(page.locator("#reason-error")).to_be_visible()

    page.fill("#reason", "she fainted in the hall")
    page.click("#sheet-send")

    expect(page.locator("h1")).to_have_text("Nasrin of another")
    expect(page.get_by_role("region", name="Opened in an emergency")).to_contain_text("she fainted in the hall")
