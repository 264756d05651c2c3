"""Walks through every screen and state of the dashboard, on the demonstration clinic.

Each yields the name of what is shown now, so that whoever walks can look at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import PASSWORD, sign_in
from tests.e2e.screenshots import WALK

DEMO = """
from django.core.management import call_command

for command in ("migrate", "load_catalogue", "seed_demo"):
    call_command(command, verbosity=0)
"""

WORD = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamter"

# A practitioner with one patient, of whom everything is said in one word.
LONG_WORDS = f"""
from accounts.models import User
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Remedy

word = "{WORD}"
long = User.objects.create_user("dr.long@demo.example", "{PASSWORD}", role="practitioner", name=word)
said = {{"medical_history": f"https://clinic.example/{{word}}", "current_medications": word}}
patient = create_patient(actor=long, full_name=f"Anna {{word}}", care_team=[long], **said)
condition = Condition.objects.order_by("slug")[0]
diagnosis = record_diagnosis(
    actor=long, patient=patient, condition=condition, severity=4, symptoms=[word, "pain"], notes=word
)
for remedy in Remedy.objects.order_by("slug")[:2]:
    recommend(actor=long, diagnosis=diagnosis, remedy=remedy, dosage=word, frequency=word, instructions=word)
"""

Walk = Callable[[Page], Iterator[str]]


def screens(page: Page) -> Iterator[str]:
    for step in WALK:
        step(page)
        yield step.__name__


def refused_at_the_door(page: Page) -> Iterator[str]:
    page.wait_for_selector("#email")
    page.click("form .primary")
    yield "nothing typed"
    page.fill("#email", "sara@demo.example")
    page.fill("#password", "wrong")
    page.click("form .primary")
    page.wait_for_selector("form [role=alert]")
    yield "a wrong password"
    page.click("#other-mode")
    page.click("form .primary")
    page.wait_for_selector("#full_name-error")
    yield "nothing to register"


def nothing_yet(page: Page) -> Iterator[str]:
    look = page.evaluate("document.documentElement.lang + document.documentElement.dataset.theme")
    page.click("#other-mode")
    for field, text in {
        "full_name": "Nima Rad",
        "email": f"{look}@new.example",
        "password": "a-long-unusual-word",
    }.items():
        page.fill(f"#{field}", text)
    page.click("form .primary")
    page.wait_for_selector(".nothing")
    yield "no diagnosis"
    page.click(".tabs a[href='#/history']")
    expect(page.locator(".waiting")).to_have_count(0)
    yield "no history"
    page.evaluate("location.hash = '#/nowhere'")
    expect(page.locator("main h1 + .lead")).to_be_visible()
    yield "nowhere"


def gone_wrong(page: Page) -> Iterator[str]:
    """A patient's bad day: mistakes, a broken server, no network."""
    sign_in(page, "sara@demo.example")
    page.locator(".due button").first.click()
    page.click("#sheet-send")
    page.select_option("#effect", index=1)
    yield "a report with mistakes"
    page.keyboard.press("Escape")
    broken: Callable[[Route], None] = lambda route: route.fulfill(status=503)  # noqa: E731
    page.route(re.compile("/api/"), broken)
    page.click(".tabs a[href='#/history']")
    page.wait_for_selector(".notice.bad")
    yield "a broken server"
    page.unroute(re.compile("/api/"), broken)
    page.click(".tabs a[href='#/']")
    page.locator("a.link").first.click()
    page.wait_for_selector("[data-state=live]")
    page.wait_for_selector(".recommendation")
    page.context.set_offline(True)
    page.wait_for_selector(".connection[data-state=offline]")
    yield "a diagnosis without a network"
    page.locator(".report").first.click()
    page.click("label[for=rating-4]")
    page.click("label[for=symptom_improvement-4]")
    page.click("#sheet-send")
    page.wait_for_selector(".outbox [data-state=waiting]")
    yield "a report that waits"
    page.click(".tabs a[href='#/']")
    page.wait_for_selector(".offline")
    yield "the first screen without a network"
    page.click(".tabs a[href='#/profile']")
    page.click("#sign-out-everywhere")
    yield "the way out"


def prescribing(page: Page) -> Iterator[str]:
    """What a practitioner does beside what the pictures show."""
    sign_in(page, "dr.amini@demo.example")
    page.wait_for_selector("a.link")
    page.fill("#patient-name", "nobody is called so")
    page.wait_for_selector(".nothing")
    yield "no patient found"
    page.fill("#patient-name", "")
    page.locator("a.link").first.click()
    page.click("#contra-state")
    page.click("#sheet-send")
    page.wait_for_selector("#remedy-error")
    yield "a contraindication of nothing"
    page.keyboard.press("Escape")
    page.locator("a.link .severity").first.click()
    page.wait_for_selector(".recommendation")
    yield "a diagnosis that one may manage"
    for act in ("change", "replace", "stop", "complete"):
        page.locator(".manage").first.click()
        page.wait_for_selector(f"#act-{act}")
        yield "what to do with a recommendation"
        page.click(f"#act-{act}")
        page.wait_for_selector("#sheet-send")
        yield f"to {act} it"
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
    page.click("a[href^='#/history/']")
    page.wait_for_selector(".course")
    page.locator(".figures summary").first.click()
    yield "a patient's history, as a table"


def long_words(page: Page) -> Iterator[str]:
    """Nobody's word is wider than the screen."""
    sign_in(page, "dr.long@demo.example")
    page.wait_for_selector("a.link")
    yield "a patient with a long name"
    page.locator("a.link").first.click()
    page.wait_for_selector("#contra-state")
    yield "a record of long words"
    page.click("#change-record")
    page.wait_for_selector("#birth-day")
    yield "a birth date"
    page.keyboard.press("Escape")
    page.locator("a.link .severity").click()
    page.wait_for_selector(".recommendation")
    page.locator(".figures summary").click()
    yield "a diagnosis of long words"
    page.locator(".manage").first.click()
    page.wait_for_selector("#act-change")
    yield "a recommendation of long words"
    page.keyboard.press("Escape")
    page.click("a[href^='#/history/']")
    page.wait_for_selector("#reports-title")
    yield "a history of long words"
    page.click(".tabs a >> nth=-1")
    page.wait_for_selector("#sign-out")
    yield "a practitioner with a long name"


WALKS: list[Walk] = [screens, refused_at_the_door, nothing_yet, gone_wrong, prescribing, long_words]
