"""The admin in a browser, under the same strict policy as every page: nothing inline, nothing evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PASSWORD, PHONE, Server

STAFF = f"""
from accounts.models import User
User.objects.create_user("parisa@demo.example", "{PASSWORD}", role="head", name="Parisa")

from diagnoses.actions import create_patient, record_diagnosis
from diagnoses.models import Condition
long = create_patient(actor=None, full_name="{"Name" * 20}", medical_history="{"word" * 50}")
record_diagnosis(actor=None, patient=long, condition=Condition.objects.first(), severity=2, notes="{"note" * 50}")
"""
# `make test` looks for what is inline in the pages themselves (tests/avicenna/test_admin.py).
pytestmark = pytest.mark.thorough
LISTS = [
    "diagnoses_patient", "diagnoses_diagnosis", "diagnoses_remedy", "diagnoses_condition", "diagnoses_sideeffect",
    "feedback_feedback", "feedback_severeflag", "accounts_user", "accounts_session", "realtime_diagnosisevent",
    "realtime_receipt", "predictions_predictionmodel", "predictions_predictionrecord", "audit_auditrecord",
]  # fmt: skip


@pytest.fixture(scope="module")
def staffed(server: Server) -> Server:
    server.run(STAFF)
    return server


@pytest.fixture
def enter(browser: Browser, staffed: Server) -> Iterator[Callable[..., Page]]:
    """`enter(language, …)`: Parisa, signed in. What the browser refuses or complains of fails the test."""
    wrong: list[str] = []
    opened: list[Page] = []

    def signed_in(language: str = "en", **looks: object) -> Page:
        page = browser.new_page(base_url=staffed.url, locale=language, **looks)  # type: ignore[arg-type]
        page.on("console", lambda said: said.type in ("error", "warning") and wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith((staffed.url, "data:")) or wrong.append(asked.url))
        page.goto("/admin/login/")
        page.fill("[name=username]", "parisa@demo.example")
        page.fill("[name=password]", PASSWORD)
        page.click("[type=submit]")
        page.wait_for_selector(".glance")
        opened.append(page)
        return page

    yield signed_in
    for page in opened:
        page.close()
    assert wrong == []


def is_dark(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.classList.contains('dark')"))


def test_theme_menu_and_filters_work_under_the_policy(enter: Callable[..., Page]) -> None:
    page = enter(color_scheme="light", viewport={"width": 1300, "height": 800})
    assert "unsafe" not in page.request.get("/admin/").headers["content-security-policy"]
    assert not is_dark(page)

    page.emulate_media(color_scheme="dark")
    page.reload()
    assert is_dark(page)
    page.locator("#nav-sidebar .dock_to_right, span:text-is('dock_to_right')").first.click()
    expect(page.locator("#nav-sidebar")).to_be_hidden()
    page.goto("/admin/diagnoses/diagnosis/")
    expect(page.locator("#nav-sidebar")).to_be_hidden()  # remembered
    page.locator("a", has_text="Filters").first.click()
    page.locator("#changelist-filter a", has_text="resolved").click()
    expect(page).to_have_url(f"{page.url.split('/admin')[0]}/admin/diagnoses/diagnosis/?status__exact=resolved")


def test_a_phone_has_the_menu_behind_a_button_in_persian(enter: Callable[..., Page]) -> None:
    page = enter("fa", **PHONE)

    assert page.evaluate("document.dir") == "rtl"
    expect(page.locator("#nav-sidebar")).to_be_hidden()
    page.locator("span:text-is('dock_to_right') >> visible=true").click()
    page.get_by_role("link", name="بیماران").click()
    page.wait_for_selector("#result_list")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("width", [390, 1366])
def test_no_page_breaks_the_policy_or_runs_off(enter: Callable[..., Page], language: str, width: int) -> None:
    page = enter(language, viewport={"width": width, "height": 900})
    for name in LISTS:
        page.goto(reverse(f"admin:{name}_changelist"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        rows = page.locator("#result_list a[href*='/change/']")
        if rows.count():
            page.goto(str(rows.first.get_attribute("href")))
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
