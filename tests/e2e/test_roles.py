"""What the roles meet on the phone: an emergency of a practitioner, and the way of the reception to its own work."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PASSWORD, Server, sign_in, signed_in

pytestmark = pytest.mark.thorough

IN_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ANOTHER = f"""
from accounts.models import User
User.objects.create_user("dr.other@demo.example", "{PASSWORD}", role="practitioner", name="Dr Other")
User.objects.create_user("desk@demo.example", "{PASSWORD}", role="reception", name="Rita")
"""


def test_a_record_is_opened_by_its_number_and_a_reason(page: Page, server: Server) -> None:
    server.run(ANOTHER)
    for other in signed_in(server, "dr.other@demo.example"):
        number = other.post("/api/patients/", json={"full_name": "Nasrin of another"}).json()["id"]
    sign_in(page, "dr.amini@demo.example")
    page.click("#break-glass")
    page.get_by_label("Number of the record").fill("no number")
    page.click("#sheet-send")
    expect(page.locator("#number-error")).to_be_visible()
    expect(page.locator("#reason-error")).to_have_text("Say why you open the record.")
    page.fill("#number", f" {number} ".upper().translate(IN_PERSIAN))
    page.get_by_label("Reason", exact=True).fill("fainted")
    page.click("#sheet-send")
    expect(page.locator("#number-error")).to_have_count(0)
    expect(page.locator("#reason-error")).to_be_visible()

    page.fill("#reason", "she fainted in the hall")
    page.click("#sheet-send")

    expect(page.locator("h1")).to_have_text("Nasrin of another")
    expect(page.get_by_role("region", name="Opened in an emergency")).to_contain_text("she fainted in the hall")


def test_the_reception_is_led_to_the_administration(page: Page, server: Server) -> None:
    server.run(ANOTHER.replace("demo.example", "desk.example"))
    sign_in(page, "desk@desk.example")

    expect(page.locator("h1")).to_have_text("Profile")
    expect(page.locator(".tabs a")).to_have_count(1)
    expect(page.locator("#to-admin")).to_have_attribute("href", "/admin/")
