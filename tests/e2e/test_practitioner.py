"""A practitioner's app: patients, what is given to them, what must not be, and severe side effects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import sign_in

WHOLE_DAYS = re.compile("Please enter whole days, from .?1.? to .?730.?\\.")


@pytest.fixture
def kian(practitioner: httpx.Client) -> Iterator[dict[str, Any]]:
    """A patient of one's own with one recommendation: `{patient, diagnosis, recommendation, remedies}`."""
    post = lambda path, **body: practitioner.post(path, json=body).json()  # noqa: E731
    patient = post("/api/patients/", full_name="Kian Rostami", mizaj_type="cold_dry", birth_date="1980-05-01")
    first = practitioner.get("/api/conditions/?page_size=1").json()["results"][0]["slug"]
    diagnosis = post("/api/diagnoses/", patient=patient["id"], condition=first, severity=4)
    remedies = practitioner.get("/api/remedies/?page_size=20").json()["results"]
    path = f"/api/diagnoses/{diagnosis['id']}/recommendations/"
    recommendation = post(path, remedy=remedies[10]["slug"], dosage="3 g")
    yield {"patient": patient, "diagnosis": diagnosis, "recommendation": recommendation, "remedies": remedies}
    practitioner.patch(
        f"/api/patients/{patient['id']}/", json={"full_name": "Somebody else"}
    )  # the next is found alone


@pytest.fixture
def patients(page: Page) -> Page:
    sign_in(page, "dr.amini@demo.example")
    page.wait_for_selector("a.link")
    return page


@pytest.fixture
def record(patients: Page, kian: dict[str, Any]) -> Page:
    patients.evaluate(f"location.hash = '#/patients/{kian['patient']['id']}'")
    patients.wait_for_selector("#contra-state")
    return patients


@pytest.fixture
def diagnosis(patients: Page, kian: dict[str, Any]) -> Page:
    patients.evaluate(f"location.hash = '#/diagnoses/{kian['diagnosis']['id']}'")
    patients.wait_for_selector("[data-state=live]")
    patients.wait_for_selector(".recommendation")
    return patients


def manage(page: Page, act: str) -> None:
    page.locator(".manage").click()
    page.click(f"#act-{act}")


def lose(route: Route) -> None:
    route.fetch()
    route.abort()


def choose_remedy(page: Page, remedy: dict[str, Any]) -> None:
    page.fill("#remedy", remedy["name_en"])
    page.click(f"[data-slug='{remedy['slug']}']")


@pytest.mark.thorough
def test_patients_are_searched_and_filtered(patients: Page, kian: dict[str, Any]) -> None:
    patients.reload()
    patients.fill("#patient-name", "kian")
    expect(patients.locator("a.link")).to_have_text(re.compile("Kian Rostami.*years old.*cold and dry", re.S))
    patients.select_option("#by-mizaj", "warm")
    expect(patients.get_by_text("No patient found")).to_be_visible()

    patients.select_option("#by-mizaj", "cold_dry")
    patients.select_option("#by-condition", kian["diagnosis"]["condition"])
    patients.locator("a.link").click()

    expect(patients.locator("h1")).to_have_text("Kian Rostami")
    patients.locator("a.link").click()
    expect(patients.locator(".recommendation")).to_have_count(1)


@pytest.mark.thorough
def test_a_recommendation_is_added_after_its_mistake_is_corrected(diagnosis: Page, kian: dict[str, Any]) -> None:
    remedy = kian["remedies"][12]
    diagnosis.click("#add-recommendation")
    choose_remedy(diagnosis, remedy)
    diagnosis.fill("#dosage", "5 g")
    diagnosis.fill("#duration_days", "0")
    diagnosis.click("#sheet-send")
    expect(diagnosis.locator("#duration_days-error")).to_have_text(WHOLE_DAYS)
    diagnosis.fill("#frequency", "twice a day")
    expect(diagnosis.locator("#duration_days-error")).to_be_visible()

    diagnosis.fill("#duration_days", "14")
    expect(diagnosis.locator("#duration_days-error")).to_have_count(0)
    expect(diagnosis.locator(".sheet").get_by_role("alert")).to_have_count(0)
    diagnosis.click("#sheet-send")

    card = diagnosis.locator(".recommendation", has_text=remedy["name_en"])
    expect(card).to_contain_text(re.compile("5 g.*14 days"))
    expect(diagnosis.locator(".event.fresh").first).to_contain_text("was recommended")


@pytest.mark.thorough
def test_a_diagnosis_speaks_to_the_practitioner(diagnosis: Page) -> None:
    expect(diagnosis.locator(".overview")).to_contain_text("Expected, before the patient's first report")
    diagnosis.get_by_role("link", name="The patient's record").click()

    expect(diagnosis.locator("h1")).to_have_text("Kian Rostami")


@pytest.mark.thorough
@pytest.mark.parametrize("screen, title", [("patients", "Patient"), ("diagnoses", "Diagnosis"), ("history", "History")])
def test_a_screen_that_cannot_be_shown_still_says_what_it_is(patients: Page, screen: str, title: str) -> None:
    patients.evaluate(f"location.hash = '#/{screen}/{uuid4()}'")

    expect(patients.locator(".notice.bad")).to_be_visible()
    expect(patients.locator("h1")).to_have_text(title)


@pytest.mark.thorough
def test_an_empty_field_runs_as_the_page_does(record: Page) -> None:
    record.click("#language")
    record.click("#record-diagnosis")
    field = record.locator("#condition")
    for typed, direction in {"": "rtl", "Head": "ltr", "سر": "rtl"}.items():
        field.fill(typed)
        expect(field).to_have_css("direction", direction)
    expect(record.locator("#notes")).to_have_css("direction", "rtl")


@pytest.mark.thorough
def test_a_recommendation_begun_outlives_the_sheet_until_it_is_sent(diagnosis: Page, kian: dict[str, Any]) -> None:
    remedy = kian["remedies"][12]
    diagnosis.click("#add-recommendation")
    choose_remedy(diagnosis, remedy)
    diagnosis.fill("#dosage", "5 g")
    diagnosis.mouse.click(195, 5)
    expect(diagnosis.locator("dialog")).to_have_count(0)

    diagnosis.click("#add-recommendation")
    expect(diagnosis.locator(".chosen")).to_contain_text(remedy["name_en"])
    expect(diagnosis.locator("#dosage")).to_have_value("5 g")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator(".recommendation", has_text=remedy["name_en"])).to_contain_text("5 g")
    diagnosis.click("#add-recommendation")
    expect(diagnosis.locator("#dosage")).to_have_value("")


@pytest.mark.thorough
def test_a_lost_answer_recommends_once_and_as_it_was_typed_last(diagnosis: Page, kian: dict[str, Any]) -> None:
    remedy = kian["remedies"][12]
    diagnosis.click("#add-recommendation")
    choose_remedy(diagnosis, remedy)
    diagnosis.fill("#dosage", "5 g")
    diagnosis.route("**/recommendations/", lose, times=1)
    diagnosis.click("#sheet-send")
    expect(diagnosis.locator(".sheet").get_by_role("alert")).to_contain_text("cannot be reached")

    diagnosis.fill("#dosage", "6 g")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator("dialog")).to_have_count(0)
    expect(diagnosis.locator(".recommendation", has_text=remedy["name_en"])).to_contain_text("6 g")


@pytest.mark.thorough
def test_without_a_remedy_the_field_says_so(diagnosis: Page, kian: dict[str, Any]) -> None:
    diagnosis.click("#add-recommendation")
    diagnosis.click("#sheet-send")
    expect(diagnosis.locator("#remedy-error")).to_have_text("Please choose a remedy.")
    diagnosis.click(f"[data-slug='{kian['remedies'][0]['slug']}']")
    expect(diagnosis.locator(".chosen")).not_to_have_attribute("aria-invalid", "true")
    expect(diagnosis.locator("#remedy-error")).to_have_count(0)
    diagnosis.click(".chosen button")
    diagnosis.click("#sheet-close")

    manage(diagnosis, "replace")
    diagnosis.click("#sheet-send")
    expect(diagnosis.locator("#remedy-error")).to_have_text("Please choose a remedy.")
    diagnosis.click("#sheet-close")

    diagnosis.evaluate(f"location.hash = '#/patients/{kian['patient']['id']}'")
    diagnosis.click("#contra-state")
    diagnosis.click("#sheet-send")
    expect(diagnosis.locator("#remedy-error")).to_have_text("Please choose a remedy.")


@pytest.mark.thorough
def test_what_must_not_be_given_cannot_be_chosen(record: Page, kian: dict[str, Any]) -> None:
    remedy = kian["remedies"][12]
    record.click("#contra-state")
    choose_remedy(record, remedy)
    record.select_option("#cause", "pregnancy")
    record.click("#sheet-send")
    expect(record.locator(".due li")).to_contain_text(remedy["name_en"])

    record.locator("a.link").click()
    record.click("#add-recommendation")
    record.fill("#remedy", remedy["name_en"])

    found = record.locator(f"[data-slug='{remedy['slug']}']")
    expect(found).to_be_disabled()
    expect(found).to_contain_text(re.compile("must not be given: .*pregnancy or nursing"))


@pytest.mark.thorough
def test_what_was_contraindicated_meanwhile_is_explained(diagnosis: Page, kian: Any, practitioner: Any) -> None:
    remedy = kian["remedies"][12]
    diagnosis.click("#add-recommendation")
    choose_remedy(diagnosis, remedy)
    stated = {"remedy": remedy["slug"], "cause": "allergy"}
    practitioner.post(f"/api/patients/{kian['patient']['id']}/contraindications/", json=stated)

    diagnosis.click("#sheet-send")

    explained = f"{remedy['name_en']} must not be given to this patient (allergy)."
    expect(diagnosis.locator("#remedy-error")).to_have_text(explained)


@pytest.mark.thorough
def test_what_is_still_given_is_named_and_a_lifted_one_is_kept(record: Page, kian: dict[str, Any]) -> None:
    record.click("#contra-state")
    choose_remedy(record, kian["remedies"][10])
    record.click("#sheet-send")
    expect(record.get_by_role("dialog", name="It is still being given")).to_be_visible()
    record.click("#sheet-close")

    record.get_by_role("button", name=re.compile("may be given again")).click()
    record.click("#confirm-lift")

    expect(record.get_by_text("Nothing is stated.")).to_be_visible()
    expect(record.get_by_text("1 was lifted")).to_be_visible()


@pytest.mark.thorough
def test_how_to_take_it_is_changed(diagnosis: Page) -> None:
    manage(diagnosis, "change")
    expect(diagnosis.locator("#dosage")).to_have_value("3 g")
    diagnosis.fill("#dosage", "4 g")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator(".recommendation")).to_contain_text("4 g")


@pytest.mark.thorough
def test_what_was_changed_meanwhile_stands_at_the_fields(diagnosis: Page, kian: Any, practitioner: Any) -> None:
    path = f"/api/recommendations/{kian['recommendation']['id']}/"
    manage(diagnosis, "change")
    diagnosis.fill("#dosage", "4 g")
    practitioner.patch(path, json={"dosage": "5 g", "frequency": "at night"})
    diagnosis.click("#sheet-send")
    expect(diagnosis.locator(".sheet").get_by_role("alert")).to_contain_text("Somebody else has changed this")
    expect(diagnosis.locator("#dosage-hint")).to_have_text("In the record now: \u20685 g\u2069")
    expect(diagnosis.locator("#dosage")).to_have_value("4 g")
    expect(diagnosis.locator("#frequency")).to_have_value("at night")

    diagnosis.click("#sheet-send")

    expect(diagnosis.locator("dialog")).to_have_count(0)
    now = practitioner.get(path).json()
    assert (now["dosage"], now["frequency"]) == ("4 g", "at night")


@pytest.mark.thorough
def test_days_are_read_and_shown_in_persian_digits(diagnosis: Page, kian: Any, practitioner: Any) -> None:
    path = f"/api/recommendations/{kian['recommendation']['id']}/"
    diagnosis.evaluate("localStorage['avicenna.language'] = 'fa'")
    diagnosis.reload()
    manage(diagnosis, "change")
    diagnosis.fill("#duration_days", "۱۴")
    diagnosis.click("#sheet-send")
    expect(diagnosis.locator(".recommendation")).to_contain_text("۱۴ روز")
    assert practitioner.get(path).json()["duration_days"] == 14

    manage(diagnosis, "change")
    expect(diagnosis.locator("#duration_days")).to_have_value("۱۴")
    diagnosis.fill("#duration_days", "دو هفته")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator("#duration_days-error")).to_be_visible()
    expect(diagnosis.locator("#duration_days")).to_be_focused()
    assert practitioner.get(path).json()["duration_days"] == 14


@pytest.mark.thorough
@pytest.mark.parametrize(("act", "title"), [
    ("change", "Change how to take it"), ("replace", "Instead of"), ("complete", "Complete"), ("stop", "Stop"),
])  # fmt: skip
def test_the_keyboard_goes_on_from_what_was_chosen_to_do(diagnosis: Page, act: str, title: str) -> None:
    diagnosis.locator(".manage").press("Enter")
    diagnosis.locator(f"#act-{act}").press("Enter")

    expect(diagnosis.locator("#sheet-title")).to_contain_text(title)
    expect(diagnosis.locator("#sheet-title")).to_be_focused()


@pytest.mark.thorough
def test_how_to_take_it_is_told_in_the_direction_of_the_sentence(diagnosis: Page, kian: Any, practitioner: Any) -> None:
    given = {"remedy": kian["remedies"][14]["slug"], "dosage": "۲ لیوان", "duration_days": 14}
    practitioner.post(f"/api/diagnoses/{kian['diagnosis']['id']}/recommendations/", json=given)

    told = "\u2069 was recommended: \u2068۲ لیوان\u2069, \u206814 days\u2069."
    expect(diagnosis.locator(".event.fresh").first).to_contain_text(told)


@pytest.mark.thorough
def test_what_changed_in_the_diagnosis_is_told(diagnosis: Page, kian: Any, practitioner: Any) -> None:
    last = diagnosis.locator(".event").first.locator("p").first
    for change, told in [
        ({"severity": 5}, "The severity was changed to 5 of 5."),
        ({"symptoms": ["pale"]}, "The diagnosis was changed: \u2068symptoms\u2069."),
        ({"status": "resolved"}, "The diagnosis is resolved."),
        ({"status": "active", "severity": 2}, "The diagnosis is active again. The severity was changed to 2 of 5."),
    ]:
        practitioner.patch(f"/api/diagnoses/{kian['diagnosis']['id']}/", json=change)
        expect(last).to_have_text(told)

    stated = {"remedy": kian["remedies"][10]["slug"], "cause": "allergy"}
    practitioner.post(f"/api/patients/{kian['patient']['id']}/contraindications/", json=stated)
    expect(last).to_have_text("The list of what must not be given was changed.")


@pytest.mark.thorough
def test_it_is_stopped_with_a_reason(diagnosis: Page) -> None:
    manage(diagnosis, "stop")
    diagnosis.fill("#reason", "made her drowsy")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator(".recommendation")).to_have_count(0)
    expect(diagnosis.locator(".event.fresh").first).to_contain_text("was stopped: \u2068made her drowsy")


@pytest.mark.thorough
def test_it_is_replaced(diagnosis: Page, kian: dict[str, Any]) -> None:
    remedy = kian["remedies"][13]
    manage(diagnosis, "replace")
    choose_remedy(diagnosis, remedy)
    diagnosis.fill("#reason", "did not help")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator(".recommendation")).to_contain_text(remedy["name_en"])
    expect(diagnosis.locator(".event.fresh").first).to_contain_text("was replaced by")


@pytest.mark.thorough
def test_a_course_is_completed_and_what_ended_meanwhile_is_said(diagnosis: Page, kian: Any, practitioner: Any) -> None:
    manage(diagnosis, "complete")
    practitioner.post(f"/api/recommendations/{kian['recommendation']['id']}/complete/")
    diagnosis.click("#sheet-send")

    expect(diagnosis.locator(".sheet").get_by_role("alert")).to_have_text("This recommendation is no longer active.")
    expect(diagnosis.locator(".recommendation")).to_have_count(0)


def test_a_severe_side_effect_is_counted_shown_and_looked_at(page: Page, api: httpx.Client) -> None:
    due = api.get("/api/feedback/due?since=2100-01-01T00:00:00Z").json()[0]
    said = {"recommendation": due["id"], "rating": 1, "symptom_improvement": 1}
    assert api.post("/api/feedback/", json={**said, "side_effects": [{"effect": "nausea", "severity": 5}]}).is_success
    sign_in(page, "dr.amini@demo.example")
    badge = page.locator(".tabs .badge")
    count = int(badge.inner_text())
    page.get_by_role("link", name="Warnings").click()
    flag = page.locator(".flag").first
    expect(flag).to_contain_text(re.compile(f"Sara.*{due['remedy_name']}.*Nausea · Severe", re.S))
    id = flag.get_attribute("data-id")

    flag.get_by_role("button", name="Mark as looked at").click()

    expect(page.locator(f"[data-id='{id}']")).to_have_count(0)
    expect(badge).to_have_count(0) if count == 1 else expect(badge).to_have_text(str(count - 1))
    page.click("label[for=flags-shown-all]")
    expect(page.locator(f"[data-id='{id}']")).to_contain_text("Dr Amini")


@pytest.mark.thorough
def test_the_keyboard_goes_on_to_the_next_warning_and_then_the_heading(page: Page, api: httpx.Client) -> None:
    due = api.get("/api/feedback/due?since=2100-01-01T00:00:00Z").json()[:2]
    for recommendation in due:
        said = {"recommendation": recommendation["id"], "rating": 1, "symptom_improvement": 1}
        assert api.post(
            "/api/feedback/", json={**said, "side_effects": [{"effect": "nausea", "severity": 5}]}
        ).is_success
    sign_in(page, "dr.amini@demo.example")
    page.get_by_role("link", name="Warnings").click()
    flags = page.locator(".flag")
    expect(flags.nth(1)).to_be_visible()

    for left in range(flags.count() - 1, -1, -1):
        flags.first.get_by_role("button", name="Mark as looked at").press("Enter")

        expect(flags).to_have_count(left)
        expect(flags.first if left else page.locator("h1")).to_be_focused()


@pytest.mark.thorough
def test_a_severe_side_effect_in_an_open_diagnosis_is_counted_at_once(patients: Page, api: httpx.Client) -> None:
    due = api.get("/api/feedback/due?since=2100-01-01T00:00:00Z").json()[0]
    patients.evaluate(f"location.hash = '#/diagnoses/{due['diagnosis']}'")
    patients.wait_for_selector("[data-state=live]")
    badge = patients.locator(".tabs .badge")
    before = int(badge.inner_text()) if badge.count() else 0

    said = {"recommendation": due["id"], "rating": 1, "symptom_improvement": 1}
    api.post("/api/feedback/", json={**said, "side_effects": [{"effect": "nausea", "severity": 4}]})

    expect(badge).to_have_text(str(before + 1))


@pytest.mark.thorough
@pytest.mark.parametrize("screen", ["#/", "#/flags", "#/patients/{patient}", "#/history/{diagnosis}"])
def test_nothing_to_touch_is_small_and_nothing_runs_off_the_page(patients: Page, kian: Any, screen: str) -> None:
    address = screen.format(patient=kian["patient"]["id"], diagnosis=kian["diagnosis"]["id"])
    patients.evaluate(f"location.hash = '{address}'")
    expect(patients.locator("h1")).not_to_have_text("Loading…")
    expect(patients.locator(".waiting")).to_have_count(0)
    small = "e => e.checkVisibility() && e.getBoundingClientRect().height < 44"
    touched = "main button, main a, main select, main summary, main input:not([type=radio], [type=checkbox]), .switch"
    assert patients.eval_on_selector_all(touched, f"all => all.filter({small}).map(e => e.outerHTML)") == []

    patients.evaluate("document.documentElement.style.fontSize = '200%'")

    assert patients.evaluate("document.documentElement.scrollWidth") <= 390
