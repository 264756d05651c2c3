"""A practitioner opens records and records diagnoses from the phone."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import PASSWORD, Server, sign_in

pytestmark = pytest.mark.thorough

LONG_AGO = "1980-05-01"


@pytest.fixture
def clinic(page: Page) -> Page:
    sign_in(page, "dr.amini@demo.example")
    page.wait_for_selector("#new-patient")
    return page


@pytest.fixture
def patient(practitioner: httpx.Client, request: pytest.FixtureRequest) -> dict[str, Any]:
    said = {"full_name": f"Navid {request.node.name}", "birth_date": LONG_AGO, "medical_history": "Migraine"}
    opened: dict[str, Any] = practitioner.post("/api/patients/", json=said).json()
    return opened


@pytest.fixture
def record(clinic: Page, patient: dict[str, Any]) -> Page:
    clinic.evaluate(f"location.hash = '#/patients/{patient['id']}'")
    clinic.wait_for_selector("#record-diagnosis")
    return clinic


@pytest.fixture
def finding(record: Page) -> Page:
    """The sheet of a new diagnosis, filled in."""
    record.click("#record-diagnosis")
    record.fill("#condition", "میگرن")
    record.click("[data-slug=migraine]")
    record.click("label[for=severity-4]")
    record.select_option("#imbalance", "cold_dry")
    record.fill("#symptoms", "throbbing\n\n light hurts ")
    record.fill("#notes", "since childhood")
    return record


def lose(route: Route) -> None:
    route.fetch()
    route.abort()


def in_the_record(practitioner: httpx.Client, patient: dict[str, Any]) -> Any:
    return practitioner.get(f"/api/diagnoses/?patient={patient['id']}").json()["results"]


def test_a_diagnosis_is_recorded_and_opened(finding: Page, practitioner: httpx.Client, patient: Any) -> None:
    finding.click("#sheet-send")

    expect(finding.locator("h1")).to_have_text("Migraine")
    finding.get_by_text("Symptoms and notes").click()
    expect(finding.locator(".overview")).to_contain_text(
        re.compile("Severity .?4.? of 5.*cold and dry.*throbbing.*light hurts.*since childhood", re.S)
    )
    (recorded,) = in_the_record(practitioner, patient)
    assert recorded["symptoms"] == ["throbbing", "light hurts"]
    finding.get_by_role("link", name="The patient's record").click()
    expect(finding.locator("a.link")).to_contain_text("Migraine")


def test_each_field_says_what_is_wrong_with_it(record: Page) -> None:
    record.click("#record-diagnosis")
    record.fill("#symptoms", "x" * 201)
    record.click("#sheet-send")
    expect(record.locator("#condition-error")).to_have_text("Please choose what is to be treated.")
    expect(record.locator("#severity-error")).to_have_text("Please choose a value.")
    expect(record.locator("#condition")).to_be_focused()

    record.fill("#condition", "Insomnia")
    record.click("[data-slug=insomnia]")
    expect(record.locator(".error")).to_have_text(["Please choose a value."])
    record.click("label[for=severity-2]")
    expect(record.locator(".error")).to_have_count(0)
    record.click("#sheet-send")

    expect(record.locator("#symptoms-error")).to_contain_text("no more than 200 characters")
    expect(record.locator("#symptoms")).to_be_focused()


def test_what_was_typed_outlives_the_sheet_the_app_and_the_session(finding: Page, practitioner: Any) -> None:
    finding.click("#sheet-close")
    finding.wait_for_timeout(600)
    finding.evaluate(
        """async () => {
            const {access} = await (await import("/static/dashboard/vault.js")).recall("session");
            await fetch("/api/auth/logout", {method: "POST", headers: {Authorization: `Bearer ${access}`}});
        }"""
    )
    address = finding.url
    finding.reload()
    sign_in(finding, "dr.amini@demo.example")
    finding.goto(address)

    finding.click("#record-diagnosis")

    expect(finding.locator("#notes")).to_have_value("since childhood")
    expect(finding.locator(".chosen")).to_contain_text("Migraine")
    expect(finding.locator("#severity-4")).to_be_checked()


def test_what_was_typed_last_outlives_a_reload_that_follows_at_once(clinic: Page) -> None:
    clinic.click("#new-patient")
    clinic.fill("#full_name", "Navid")
    clinic.wait_for_timeout(600)
    clinic.fill("#full_name", "Navid Rahimi")
    clinic.wait_for_timeout(100)

    clinic.reload()
    clinic.click("#new-patient")

    expect(clinic.locator("#full_name")).to_have_value("Navid Rahimi")


def test_two_touches_record_once(finding: Page, practitioner: httpx.Client, patient: Any) -> None:
    finding.locator("#sheet-send").evaluate("button => { button.click(); button.click(); }")

    expect(finding.locator("h1")).to_have_text("Migraine")
    assert len(in_the_record(practitioner, patient)) == 1


def test_a_lost_answer_records_once_and_as_it_was_typed_last(
    finding: Page, practitioner: httpx.Client, patient: Any
) -> None:
    finding.route("**/api/diagnoses/", lose, times=1)
    finding.click("#sheet-send")
    expect(finding.get_by_role("dialog").get_by_role("alert")).to_contain_text("cannot be reached")

    finding.click("label[for=severity-5]")
    finding.click("#sheet-send")

    expect(finding.locator("h1")).to_have_text("Migraine")
    (recorded,) = in_the_record(practitioner, patient)
    assert (recorded["severity"], recorded["notes"]) == (5, "since childhood")


@pytest.fixture
def diagnosis(clinic: Page, practitioner: httpx.Client, patient: dict[str, Any]) -> Page:
    said = {"patient": patient["id"], "condition": "migraine", "severity": 4, "notes": "old"}
    recorded = practitioner.post("/api/diagnoses/", json=said).json()
    clinic.evaluate(f"location.hash = '#/diagnoses/{recorded['id']}'")
    clinic.wait_for_selector("[data-state=live]")
    return clinic


def test_a_diagnosis_is_changed(diagnosis: Page, practitioner: httpx.Client, patient: Any) -> None:
    diagnosis.click("#manage-diagnosis")
    diagnosis.click("#act-change")
    diagnosis.click("label[for=severity-1]")
    diagnosis.fill("#notes", "new")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator(".overview .severity")).to_contain_text("Severity 1 of 5")
    expect(diagnosis.locator(".event.fresh").first).to_contain_text("The severity was changed to 1 of 5.")
    diagnosis.get_by_text("Symptoms and notes").click()
    expect(diagnosis.locator(".overview")).to_contain_text("new")


@pytest.mark.parametrize(("act", "title"), [("change", "Change the diagnosis"), ("resolve", "Resolve")])
def test_the_keyboard_goes_on_in_the_form_that_was_chosen(diagnosis: Page, act: str, title: str) -> None:
    diagnosis.click("#manage-diagnosis")
    diagnosis.focus(f"#act-{act}")
    diagnosis.keyboard.press("Enter")

    expect(diagnosis.get_by_role("heading", name=title)).to_be_focused()
    diagnosis.keyboard.press("Tab")
    expect(diagnosis.locator("#sheet-close")).to_be_focused()


def test_what_somebody_else_wrote_meanwhile_is_shown_before_it_is_replaced(
    diagnosis: Page, practitioner: httpx.Client, patient: Any
) -> None:
    (recorded,) = in_the_record(practitioner, patient)
    path = f"/api/diagnoses/{recorded['id']}/"
    diagnosis.click("#manage-diagnosis")
    diagnosis.click("#act-change")
    diagnosis.fill("#notes", "mine")
    diagnosis.click("#sheet-close")  # what was typed stays, and what it was made from
    practitioner.patch(path, json={"notes": "theirs", "severity": 2})
    expect(diagnosis.locator(".overview .severity")).to_contain_text("Severity 2 of 5")
    diagnosis.click("#manage-diagnosis")
    diagnosis.click("#act-change")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator("#notes-error")).to_contain_text("theirs")
    expect(diagnosis.locator("#notes")).to_be_focused()
    expect(diagnosis.locator("#notes")).to_have_value("mine")
    assert practitioner.get(path).json()["notes"] == "theirs"

    diagnosis.click("#sheet-send")
    expect(diagnosis.get_by_role("dialog")).to_have_count(0)
    kept = practitioner.get(path).json()
    assert (kept["notes"], kept["severity"]) == ("mine", 2)


def test_notes_that_somebody_else_changed_are_read_again(diagnosis: Page, practitioner: Any, patient: Any) -> None:
    diagnosis.get_by_text("Symptoms and notes").click()
    (recorded,) = in_the_record(practitioner, patient)

    practitioner.patch(f"/api/diagnoses/{recorded['id']}/", json={"notes": "from the other room"})

    expect(diagnosis.locator(".overview")).to_contain_text("from the other room")


def test_a_diagnosis_is_resolved_reopened_and_marked_as_a_mistake(diagnosis: Page) -> None:
    for act, told in [("resolve", "is resolved"), ("reopen", None), ("mistake", "was entered in error")]:
        diagnosis.click("#manage-diagnosis")
        diagnosis.click(f"#act-{act}")
        diagnosis.click("#sheet-send")
        notice = diagnosis.locator(".overview .notice")
        expect(notice).to_contain_text(told) if told else expect(notice).to_have_count(0)
        expect(diagnosis.locator("#add-recommendation")).to_have_count(0 if told else 1)


def test_a_new_patient_gets_a_record_with_a_birth_date_of_their_calendar(clinic: Page, practitioner: Any) -> None:
    clinic.click("#language")
    clinic.click("#new-patient")
    clinic.fill("#full_name", "مینا تازه")
    clinic.fill("#birth-day", "۱۱")
    clinic.select_option("#birth-month", label="بهمن")
    clinic.fill("#birth-year", "۱۳۶۸")
    clinic.select_option("#sex", "female")
    clinic.select_option("#mizaj_type", "warm_wet")
    clinic.fill("#current_medications", "آسپرین")
    clinic.click("#sheet-send")

    expect(clinic.locator("h1")).to_have_text("مینا تازه")
    expect(clinic.locator(".record")).to_contain_text(re.compile("۱۱ بهمن ۱۳۶۸.*آسپرین", re.S))
    opened = practitioner.get("/api/patients/?page_size=1").json()["results"][0]
    assert (opened["birth_date"], opened["sex"], opened["mizaj_type"]) == ("1990-01-31", "female", "warm_wet")


def test_a_record_without_a_name_or_with_half_a_date_is_not_sent(clinic: Page) -> None:
    clinic.click("#new-patient")
    clinic.fill("#birth-year", "1990")
    clinic.click("#sheet-send")

    expect(clinic.locator("#full_name-error")).to_have_text("Please enter the patient’s name.")
    expect(clinic.locator("#birth_date-error")).to_contain_text("day, month and year")
    expect(clinic.locator("#full_name")).to_be_focused()


@pytest.mark.parametrize(("language", "day", "said"), [
    ("en", ("31", "2", "1990"), "There is no such day."),
    ("en", ("5", "5", "1850"), "This is too long ago."),
    ("en", ("5", "5", "2999"), "This date lies in the future."),
    ("fa", ("۳۱", "12", "۱۳۶۷"), "چنین روزی وجود ندارد."),
    ("fa", ("۱", "1", "۱۲۷۸"), "این تاریخ بیش از اندازه قدیمی است."),
    ("fa", ("۱", "1", "۹۹۹۹"), "این تاریخ در آینده است."),
])  # fmt: skip
def test_a_birth_date_that_cannot_be_is_told_from_half_a_one(clinic: Page, language: str, day: Any, said: str) -> None:
    if language == "fa":
        clinic.click("#language")
    clinic.click("#new-patient")
    clinic.fill("#full_name", "Mina")
    clinic.fill("#birth-day", day[0])
    clinic.select_option("#birth-month", day[1])
    clinic.fill("#birth-year", day[2])
    clinic.click("#sheet-send")

    expect(clinic.locator("#birth_date-error")).to_contain_text(said)


def test_a_lost_answer_opens_one_record(clinic: Page, practitioner: httpx.Client) -> None:
    before = practitioner.get("/api/patients/").json()["count"]
    clinic.click("#new-patient")
    clinic.fill("#full_name", "Lost Answer")
    clinic.route("**/api/patients/", lose, times=1)
    clinic.click("#sheet-send")
    expect(clinic.get_by_role("dialog").get_by_role("alert")).to_contain_text("cannot be reached")

    clinic.fill("#full_name", "Found Answer")
    clinic.click("#sheet-send")

    expect(clinic.locator("h1")).to_have_text("Found Answer")
    assert practitioner.get("/api/patients/").json()["count"] == before + 1


def test_only_what_was_changed_in_a_record_is_sent(record: Page, practitioner: httpx.Client, patient: Any) -> None:
    record.click("#change-record")
    expect(record.locator("#birth-year")).to_have_value("1980")
    practitioner.patch(f"/api/patients/{patient['id']}/", json={"medical_history": "Migraine, asthma"})
    record.select_option("#mizaj_type", "cold_wet")
    record.click("#sheet-send")

    expect(record.locator(".record")).to_contain_text(re.compile("cold and wet.*Migraine, asthma", re.S))
    kept = practitioner.get(f"/api/patients/{patient['id']}/").json()
    assert (kept["birth_date"], kept["medical_history"]) == (LONG_AGO, "Migraine, asthma")


def test_a_record_is_not_changed_over_what_was_not_seen(record: Page, practitioner: httpx.Client, patient: Any) -> None:
    path = f"/api/patients/{patient['id']}/"
    record.click("#change-record")
    record.fill("#medical_history", "Migraine, gout")
    record.select_option("#sex", "male")
    practitioner.patch(path, json={"medical_history": "Migraine, asthma"})
    record.click("#sheet-send")
    expect(record.locator("#medical_history-error")).to_contain_text("Migraine, asthma")

    record.fill("#medical_history", "Migraine, asthma, gout")
    record.click("#sheet-send")

    expect(record.locator(".record")).to_contain_text("Migraine, asthma, gout")
    assert practitioner.get(path).json()["sex"] == "male"


def test_the_last_thing_kept_on_the_device_is_not_what_has_arrived(finding: Page) -> None:
    finding.click("#sheet-send")
    expect(finding.locator("h1")).to_have_text("Migraine")
    finding.wait_for_timeout(600)

    kept = finding.evaluate("import('/static/dashboard/vault.js').then(({recall}) => recall('drafts of forms'))")

    assert kept == []


@pytest.mark.parametrize("sheet", ["#new-patient", "#change-record", "#record-diagnosis"])
def test_nothing_in_a_sheet_is_small_or_runs_off_the_page(record: Page, sheet: str) -> None:
    if sheet == "#new-patient":
        record.evaluate("location.hash = '#/'")
    record.click(sheet)
    record.wait_for_selector(".sheet-body")
    small = "e => e.checkVisibility() && e.getBoundingClientRect().height < 44"
    touched = "dialog button, dialog select, dialog .segments label, dialog input:not([type=radio]), dialog textarea"
    assert record.eval_on_selector_all(touched, f"all => all.filter({small}).map(e => e.outerHTML)") == []

    record.evaluate("document.documentElement.style.fontSize = '200%'")

    off = "e => e.getBoundingClientRect().right > 391 || e.getBoundingClientRect().left < -1"
    assert record.eval_on_selector_all("dialog *", f"all => all.filter({off}).map(e => e.outerHTML)") == []


ROYA = f"""
from accounts.actions import register
from accounts.models import User

roya = register(email="roya@demo.example", password="{PASSWORD}", full_name="Roya").patient
roya.care_team.add(User.objects.get(email="dr.amini@demo.example"))
"""


def test_the_patients_first_screen_shows_it_without_reloading(
    page: Page, practitioner: httpx.Client, server: Server
) -> None:
    server.run(ROYA)
    page.clock.install()
    sign_in(page, "roya@demo.example")
    page.wait_for_selector(".nothing")
    everybody = practitioner.get("/api/patients/?page_size=100").json()["results"]
    roya = next(row for row in everybody if row["full_name"] == "Roya")

    practitioner.post("/api/diagnoses/", json={"patient": roya["id"], "condition": "tinnitus", "severity": 2})
    page.clock.fast_forward(61_000)

    expect(page.locator("a.link")).to_have_count(1)
