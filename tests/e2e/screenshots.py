"""`make screenshots`: every screen of the dashboard and the admin's first, from a running server with the demo clinic.

English in the light theme, Persian in the dark one, on a phone of 390×844 at twice the resolution, into
docs/screenshots/.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.e2e.conftest import CHROMIUM_FLAGS, PASSWORD, PHONE

FOLDER = Path(__file__).resolve().parents[2] / "docs/screenshots"
LOOKS = [("en", "light"), ("fa", "dark")]
DESK: ViewportSize = {"width": 1280, "height": 900}
COLOURS = 160  # as many as are seen; a picture takes a third of the space


def at_the_door(page: Page) -> None:
    page.wait_for_selector("#email")


def register(page: Page) -> None:
    page.click("#other-mode")
    page.click(".about summary")
    page.locator(".about").evaluate("about => about.scrollIntoView({block: 'center'})")


def home(page: Page) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.click("#other-mode")
    page.fill("#email", "sara@demo.example")
    page.fill("#password", PASSWORD)
    page.click("form .primary")
    page.wait_for_selector("a.link")


def diagnosis(page: Page) -> None:
    page.click("a.link >> nth=0")
    page.wait_for_selector("[data-state=live]")
    page.wait_for_selector(".recommendation")


def ranking(page: Page) -> None:
    page.locator("#ranking-title").evaluate("title => title.scrollIntoView()")


def events(page: Page) -> None:
    page.locator("#metrics-title").evaluate("title => title.scrollIntoView()")


def feedback(page: Page) -> None:
    page.locator(".report").first.click()
    page.click("label[for=rating-4]")
    page.click("label[for=symptom_improvement-4]")


def remedy(page: Page) -> None:
    page.click("#sheet-close")
    page.locator(".known").first.click()
    page.locator("dialog img").evaluate("img => img.decode()")


def history(page: Page) -> None:
    page.click("#sheet-close")
    page.click(".tabs a[href='#/history']")
    page.click("label[for=span-90]")
    page.wait_for_selector(".course")


def reports(page: Page) -> None:
    page.wait_for_selector(".report-card")
    page.locator("#reports-title").evaluate("title => title.scrollIntoView()")


def profile(page: Page) -> None:
    page.locator(".tabs a").last.click()
    page.wait_for_selector("#sign-out")


def patients(page: Page) -> None:
    page.click("#sign-out")
    page.fill("#email", "dr.amini@demo.example")
    page.fill("#password", PASSWORD)
    page.click("form .primary")
    page.wait_for_selector("a.link")


def record(page: Page) -> None:
    page.click("#new-patient")
    page.fill("#birth-day", "11")
    page.select_option("#birth-month", "11")
    page.fill("#birth-year", "1368" if page.locator("html[lang=fa]").count() else "1990")


def patient(page: Page) -> None:
    page.click("#sheet-close")
    page.locator("a.link").first.click()
    page.wait_for_selector("#contra-state")


def diagnosing(page: Page) -> None:
    page.click("#record-diagnosis")
    page.fill("#condition", "سر" if page.locator("html[lang=fa]").count() else "head")
    page.wait_for_selector("[data-slug=headache]")
    page.click("[data-slug=headache]")
    page.click("label[for=severity-3]")


def managing(page: Page) -> None:
    page.click("#sheet-close")
    page.locator("a.link .severity").first.click()
    page.wait_for_selector(".recommendation")
    page.click("#manage-diagnosis")
    page.wait_for_selector("#act-change")


def prescribing(page: Page) -> None:
    page.click("#sheet-close")
    page.click("#add-recommendation")
    page.wait_for_selector(".found .row")


def warnings(page: Page) -> None:
    page.click("#sheet-close")
    page.click(".tabs a[href='#/flags']")
    page.wait_for_selector(".flag")


# Each goes on from where the one before has ended.
WALK: list[Callable[[Page], None]] = [
    at_the_door, register, home, diagnosis, ranking, events, feedback, remedy, history, reports, profile, patients,
    record, patient, diagnosing, managing, prescribing, warnings,
]  # fmt: skip


def take(page: Page, language: str) -> None:
    for step in WALK:
        step(page)
        page.mouse.move(0, 0)  # a finger does not rest on anything
        page.wait_for_timeout(800)  # the motion has ended
        keep(page, f"{step.__name__.replace('at_the_door', 'sign-in')}-{language}")


def take_office(page: Page, language: str) -> None:
    """The first page of the admin."""
    page.goto("/admin/")
    page.fill("[name=username]", "admin@demo.example")
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    page.wait_for_selector(".glance")
    page.evaluate("document.fonts.ready")
    keep(page, f"office-{language}")


def keep(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(COLOURS).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    url = parser.parse_args().url
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        for language, theme in LOOKS:
            context = browser.new_context(**PHONE, device_scale_factor=2, color_scheme=theme, base_url=url)
            context.add_init_script(f"localStorage['avicenna.language'] = '{language}'")
            page = context.new_page()
            page.goto("/")
            take(page, language)
            desk = browser.new_page(base_url=url, locale=language, color_scheme=theme, viewport=DESK)
            take_office(desk, language)
        browser.close()


if __name__ == "__main__":
    main()
