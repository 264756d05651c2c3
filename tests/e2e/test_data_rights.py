"""What belongs to the patient, in the profile: consents, a copy of everything, the way out for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.thorough

PASSWORD = "a-long-unusual-word"


def test_a_patient_consents_takes_a_copy_and_leaves_for_ever(page: Page, tmp_path: Path) -> None:
    page.click("#other-mode")
    expect(page.locator("#consent-treatment")).to_be_checked()
    expect(page.locator("#consent-training")).not_to_be_checked()
    page.locator("label.switch", has=page.locator("#consent-statistics")).click()
    for field, text in {"full_name": "Nima Rad", "email": "nima@leaving.example", "password": PASSWORD}.items():
        page.fill(f"#{field}", text)
    page.click("form .primary")

    page.get_by_role("link", name="Profile").click()
    expect(page.locator("#consent-statistics")).to_be_checked()
    expect(page.locator("#consent-training")).not_to_be_checked()
    with page.expect_response("**/api/me/consents") as told:
        page.locator("label.switch", has=page.locator("#consent-training")).click()
    assert told.value.request.method == "PUT" and told.value.ok

    for kind in ("json", "fhir"):
        with page.expect_download() as download:
            page.click(f"#export-{kind}")
        download.value.save_as(tmp_path / kind)
        assert download.value.suggested_filename == {"json": "avicenna.json", "fhir": "avicenna.fhir.json"}[kind]
    assert json.loads((tmp_path / "json").read_text())["patient"]["full_name"] == "Nima Rad"
    assert json.loads((tmp_path / "fhir").read_text())["resourceType"] == "Bundle"

    page.click("#erase")
    page.fill("#erasure-password", "wrong")
    page.click("#confirm-erasure")
    expect(page.locator("#erasure-password-error")).to_be_visible()
    page.fill("#erasure-password", PASSWORD)
    page.click("#confirm-erasure")

    expect(page.locator("#other-mode")).to_be_visible()
    page.fill("#email", "nima@leaving.example")
    page.fill("#password", PASSWORD)
    page.click("form .primary")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
