"""The loop with one's own eyes: sign in, report, and see what it does without reloading."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import PASSWORD, Server


def fill_feedback(page: Page, *, rating: int, comment: str = "") -> None:
    page.locator(".report").first.click()
    page.click(f"label[for=rating-{rating}]")
    page.click("label[for=symptom_improvement-4]")
    page.fill("#comment", comment)


def report(api: httpx.Client, page: Page, **fields: Any) -> None:
    """Feedback from the second device on what the page shows first."""
    recommendation = page.locator(".recommendation").first.get_attribute("data-id")
    body = {"recommendation": recommendation, "rating": 4, "symptom_improvement": 4, **fields}
    assert api.post("/api/feedback/", json=body).status_code == 201


def test_a_report_appears_as_events_and_in_the_ranking(watching: Page) -> None:
    card = watching.locator(".recommendation").first
    before = card.locator(".score strong").inner_text()

    fill_feedback(watching, rating=1)
    watching.select_option("#effect", "nausea")
    watching.click("label[for=severity-nausea-2]")
    watching.click("#sheet-send")

    expect(watching.locator("dialog")).to_have_count(0)
    event = watching.locator(".event.fresh[data-type=feedback_update]")
    expect(event).to_contain_text(re.compile("New feedback on .* rated 1 of 5.*Side effects: .*Nausea"))
    expect(watching.locator(".recommendation.fresh .pill").first).to_be_visible()
    id = card.get_attribute("data-id")
    expect(watching.locator(f"[data-id='{id}'] .score strong")).not_to_have_text(before)


def test_a_report_from_another_device_arrives_without_reloading(watching: Page, api: httpx.Client) -> None:
    watching.evaluate("window.same = true")
    report(api, watching, rating=5)

    expect(watching.locator(".event.fresh").nth(1)).to_contain_text("rated 5 of 5")
    assert watching.evaluate("window.same")


@pytest.mark.thorough
def test_a_completed_course_leaves_the_ranking_and_is_told(watching: Page, practitioner: httpx.Client) -> None:
    card = watching.locator(".recommendation").first
    path = f"/api/recommendations/{card.get_attribute('data-id')}/"
    given = practitioner.get(path).json()

    practitioner.post(f"{path}complete/")

    completed = re.compile(f"The course of .*{given['remedy_name']}.* was completed")
    expect(watching.locator(".event.fresh").first).to_contain_text(completed)
    expect(watching.locator(".recommendation")).to_have_count(2)
    again = {"remedy": given["remedy"]}
    assert practitioner.post(f"/api/diagnoses/{given['diagnosis']}/recommendations/", json=again).status_code == 201
    expect(watching.locator(".recommendation")).to_have_count(3)


@pytest.mark.thorough
def test_what_left_the_catalogue_is_not_ranked_and_says_so(watching: Page, server: Server, api: httpx.Client) -> None:
    first = watching.locator(".recommendation").first.get_attribute("data-id")
    slug = api.get(f"/api/recommendations/{first}/").json()["remedy"]
    in_use = "from diagnoses.models import Remedy; Remedy.objects.filter(slug='{}').update(is_active={})"
    server.run(in_use.format(slug, False))
    try:
        watching.reload()

        expect(watching.locator(".recommendation")).to_have_count(2)
        expect(watching.locator(".left-out li")).to_contain_text("no longer in use in the catalogue")
    finally:
        server.run(in_use.format(slug, True))  # the other tests share the clinic


def test_persian_turns_the_page_around_and_keeps_the_connection(watching: Page) -> None:
    tickets: list[str] = []
    watching.on("request", lambda request: "tickets" in request.url and tickets.append(request.url))

    watching.click("#language")

    expect(watching.locator("html")).to_have_attribute("dir", "rtl")
    expect(watching.locator(".state")).to_have_text("زنده")
    expect(watching.locator(".score strong").first).to_have_text(re.compile("[۰-۹]+٪"))
    assert tickets == []


def test_a_lost_answer_loses_nothing_and_counts_once(watching: Page, api: httpx.Client) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        watching.context.set_offline(True)
        route.abort()

    before = api.get("/api/feedback/").json()["count"]
    watching.route("**/api/feedback/", lose, times=1)
    fill_feedback(watching, rating=4, comment="typed once")
    watching.click("#sheet-send")
    waiting = watching.locator(".outbox [data-state=waiting]")
    expect(waiting).to_contain_text("typed once")
    waiting.get_by_role("button", name="Change").click()
    expect(watching.locator("#comment")).to_have_value("typed once")

    watching.fill("#comment", "and changed")
    watching.context.set_offline(False)
    watching.click("#sheet-send")

    expect(watching.locator("dialog")).to_have_count(0)
    expect(watching.locator(".outbox [data-state=waiting]")).to_have_count(0)
    stored = api.get("/api/feedback/").json()
    assert (stored["count"], stored["results"][0]["comment"]) == (before + 1, "and changed")


def test_a_restarted_server_costs_no_event(watching: Page, api: httpx.Client, server: Server) -> None:
    server.stop()
    expect(watching.locator(".connection")).to_have_attribute("data-state", "offline")
    server.start()
    report(api, watching, rating=2)

    # The page waits a little longer before each try.
    expect(watching.locator(".connection")).to_have_attribute("data-state", "live", timeout=20_000)
    expect(watching.locator(".event[data-type=feedback_update]").first).to_contain_text("rated 2 of 5")
    seqs = [int(seq.get_attribute("data-seq") or 0) for seq in watching.locator(".event").all()]
    assert seqs == list(range(seqs[0], seqs[0] - len(seqs), -1))


def test_an_old_access_token_is_renewed_unnoticed(watching: Page) -> None:
    wear_out_the_access_token(watching)
    watching.reload()

    watching.wait_for_selector("[data-state=live]")


def wear_out_the_access_token(page: Page) -> None:
    page.evaluate(
        """async () => {
            const {keep, recall} = await import("/static/dashboard/vault.js");
            await keep("session", {...await recall("session"), access: "worn out"});
        }"""
    )


def an_hour_passes(server: Server) -> None:
    """Since every renewal."""
    server.run(
        "from datetime import timedelta; from django.db.models import F\n"
        "from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken\n"
        "BlacklistedToken.objects.update(blacklisted_at=F('blacklisted_at') - timedelta(hours=1))"
    )


@pytest.mark.thorough
def test_who_lost_the_answer_to_a_renewal_in_a_tunnel_stays_signed_in(watching: Page, server: Server) -> None:
    renewed: list[int] = []

    def lose(route: Route) -> None:
        if not renewed:
            renewed.append(route.fetch().status)
        route.abort()

    wear_out_the_access_token(watching)
    watching.route("**/api/auth/token/refresh", lose)
    with watching.expect_event("requestfailed", lambda request: request.url.endswith("/refresh")):
        watching.reload()
    an_hour_passes(server)
    assert renewed == [200]

    watching.unroute("**/api/auth/token/refresh")
    watching.reload()

    watching.wait_for_selector("[data-state=live]")


@pytest.mark.thorough
def test_whose_session_is_used_in_two_places_is_told_so(watching: Page, server: Server) -> None:
    used = watching.evaluate("import('/static/dashboard/vault.js').then(({recall}) => recall('session'))")
    wear_out_the_access_token(watching)
    watching.reload()
    watching.wait_for_selector("[data-state=live]")
    an_hour_passes(server)

    assert httpx.post(f"{server.url}/api/auth/token/refresh", json={"refresh": used["refresh"]}).status_code == 401

    expect(watching.locator(".notice")).to_contain_text("used in two places at once")


@pytest.mark.thorough
def test_two_tabs_that_renew_at_once_stay_signed_in(watching: Page) -> None:
    wear_out_the_access_token(watching)
    other = watching.context.new_page()
    other.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")  # as in an old browser
    watching.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")

    watching.reload(wait_until="commit")
    other.goto("/#/profile")

    watching.wait_for_selector("[data-state=live]")
    other.wait_for_selector("#sign-out")


def test_a_session_ended_elsewhere_asks_to_sign_in_again(watching: Page) -> None:
    watching.evaluate(
        """async () => {
            const {access} = await (await import("/static/dashboard/vault.js")).recall("session");
            await fetch("/api/auth/logout", {method: "POST", headers: {Authorization: `Bearer ${access}`}});
        }"""
    )

    expect(watching.locator(".notice")).to_contain_text("session has ended")


@pytest.mark.thorough
def test_every_answer_of_a_scale_can_be_tapped_and_taken_back(watching: Page) -> None:
    watching.locator(".report").first.click()
    compliance = watching.locator("fieldset.scale", has=watching.locator("#compliance-1"))
    for choice in ("4", "5"):
        compliance.locator(f"label[for=compliance-{choice}]").click(timeout=2_000)
        expect(watching.locator(f"#compliance-{choice}")).to_be_checked()

    compliance.get_by_role("button", name="Clear").click()

    expect(compliance.locator("input:checked")).to_have_count(0)


@pytest.mark.thorough
def test_going_back_closes_the_sheet_and_leaves_the_screen(watching: Page) -> None:
    here = watching.url
    for _ in range(2):
        watching.locator(".report").first.click()
        watching.fill("#comment", "half a sentence")
        watching.go_back()
        expect(watching.locator("dialog")).to_have_count(0)
        assert watching.url == here
    watching.locator(".report").first.click()
    expect(watching.locator("#comment")).to_have_value("half a sentence")
    watching.click("#sheet-close")
    expect(watching.locator("dialog")).to_have_count(0)

    expect(watching).to_have_title("Diagnosis · Avicenna")
    watching.go_back()

    expect(watching).not_to_have_url(here)
    expect(watching).to_have_title("Home · Avicenna")


@pytest.mark.thorough
def test_what_is_wrong_with_a_registration_is_seen_and_the_email_kept(page: Page) -> None:
    page.fill("#email", "nobody@demo.example")
    page.click("#other-mode")
    page.route("**/api/auth/register", lambda route: route.fulfill(status=503))
    page.fill("#full_name", "Nobody")
    page.fill("#password", "tulips-and-jasmine")
    page.click("form .primary")

    expect(page.get_by_role("alert")).to_be_in_viewport()
    page.click("#other-mode")
    expect(page.locator("#email")).to_have_value("nobody@demo.example")


@pytest.mark.thorough
def test_a_wrong_password_is_told_in_words(page: Page) -> None:
    page.fill("#email", "sara@demo.example")
    page.fill("#password", "wrong")
    page.click("form .primary")

    expect(page.get_by_role("alert")).to_have_text("The email or the password is wrong.")


@pytest.mark.thorough
def test_a_practitioner_watches_and_does_not_report(page: Page) -> None:
    page.fill("#email", "dr.amini@demo.example")
    page.fill("#password", PASSWORD)
    page.click("form .primary")
    page.locator("a.link", has_text="Sara").click()
    page.locator("a.link .severity").first.click()
    page.wait_for_selector("[data-state=live]")

    expect(page.locator(".recommendation")).to_have_count(3)
    expect(page.locator(".report")).to_have_count(0)
    page.get_by_role("button", name="What is known").first.click()
    expect(page.get_by_role("dialog", name="What is known")).to_be_visible()
