"""Without a network: the shell opens, what was seen last is there, and what is typed arrives once."""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Server, sign_in
from tests.e2e.offline import fill_in, go_offline, report_offline, reports, wait_for_worker, wait_until


def test_the_shell_opens_without_a_network_after_one_visit(page: Page) -> None:
    wait_for_worker(page)
    page.context.set_offline(True)

    page.reload()

    expect(page.locator("h1")).to_have_text("Sign in")


@pytest.mark.thorough
def test_the_worker_keeps_no_answer_of_the_api_and_nothing_of_the_admin(page: Page) -> None:
    wait_for_worker(page)
    sign_in(page, "sara@demo.example")
    page.evaluate("fetch('/admin/')")

    kept = page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async (name) =>
        (await (await caches.open(name)).keys()).map(({url}) => new URL(url).pathname)))).flat()"""
    )
    assert [path for path in kept if path != "/" and not path.startswith("/static/dashboard/")] == []


@pytest.mark.thorough
def test_the_app_can_be_installed(page: Page) -> None:
    wait_for_worker(page)
    devtools = page.context.new_cdp_session(page)

    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]

    # A context of a test is a private window, where nothing can be installed.
    assert [error for error in errors if error["errorId"] != "in-incognito"] == []
    assert devtools.send("Page.getAppManifest")["errors"] == []


@pytest.mark.thorough
def test_another_version_is_offered_and_waits(page: Page) -> None:
    wait_for_worker(page)
    page.evaluate("window.same = true")
    page.evaluate("navigator.serviceWorker.register('/sw.js?newer')")
    expect(page.locator("#new-version")).to_contain_text("A new version is ready.")
    assert page.evaluate("window.same")

    page.click("#new-version button")

    expect(page.locator("#new-version")).to_have_count(0)
    assert page.evaluate("window.same") is None


@pytest.mark.thorough
def test_what_was_seen_last_opens_without_a_network_and_says_how_old_it_is(kept: Page) -> None:
    condition = kept.locator("h1").inner_text()
    score = kept.locator(".score strong").first.inner_text()
    go_offline(kept)

    kept.reload()

    expect(kept.locator("h1")).to_have_text(condition)
    expect(kept.locator(".score strong").first).to_have_text(score)
    expect(kept.locator(".event").first).to_be_visible()
    expect(kept.locator(".connection")).to_contain_text(re.compile(r"Offline since .\d\d:\d\d.*as of", re.S))
    kept.get_by_role("link", name="Home").click()
    expect(kept.locator(".greeting")).to_contain_text(re.compile(r"as of .*\d\d:\d\d.*Sara", re.S))
    expect(kept.locator(".offline")).to_contain_text("Offline since")
    kept.context.set_offline(False)
    expect(kept.locator(".offline")).to_have_count(0)


def test_feedback_given_offline_waits_and_arrives_once(kept: Page, api: httpx.Client) -> None:
    report_offline(kept, "given offline")
    kept.reload()  # as if the app had been killed
    expect(kept.locator(".outbox [data-state=waiting]")).to_contain_text("given offline")

    kept.context.set_offline(False)

    expect(kept.locator(".outbox [data-state=received]")).to_be_visible()
    assert len(reports(api, "given offline")) == 1


def test_a_server_killed_after_it_has_stored_counts_once(kept: Page, server: Server, api: httpx.Client) -> None:
    died: list[Route] = []

    def store_and_die(route: Route) -> None:
        route.fetch()
        server.stop()
        died.append(route)
        route.abort()

    kept.route("**/api/feedback/", store_and_die, times=1)
    fill_in(kept, "survives")
    kept.click("#sheet-send")
    while not died:  # it waits already while it is sent
        kept.wait_for_timeout(50)
    expect(kept.locator(".outbox [data-state=waiting]")).to_be_visible()

    server.start()

    expect(kept.locator(".outbox [data-state=received]")).to_be_visible()
    assert len(reports(api, "survives")) == 1


@pytest.mark.thorough
def test_two_tabs_send_what_waits_once(kept: Page, api: httpx.Client) -> None:
    sent: list[str] = []
    report_offline(kept, "in two tabs")
    other = kept.context.new_page()
    other.goto("/")
    expect(other.locator(".outbox [data-state=waiting]")).to_be_visible()
    kept.context.on("request", lambda request: request.url.endswith("/api/feedback/") and sent.append(request.url))

    kept.context.set_offline(False)

    expect(kept.locator(".outbox [data-state=waiting]")).to_have_count(0)
    expect(other.locator(".outbox [data-state=waiting]")).to_have_count(0)
    assert (len(reports(api, "in two tabs")), len(sent)) == (1, 1)


@pytest.mark.thorough
def test_what_is_refused_later_stays_with_the_reason_until_it_is_changed(kept: Page, api: httpx.Client) -> None:
    report_offline(kept, "refused at first")
    refusal = {"error": {"code": "invalid", "message": "x", "fields": {"comment": ["Not like this."]}}}
    kept.route("**/api/feedback/", lambda route: route.fulfill(status=400, json=refusal), times=1)

    kept.context.set_offline(False)
    refused = kept.locator(".outbox [data-state=refused]")
    expect(refused).to_contain_text(re.compile("Not accepted.*Not like this.*refused at first", re.S))

    refused.get_by_role("button", name="Change").click()
    kept.fill("#comment", "accepted then")
    kept.click("#sheet-send")
    expect(kept.locator("dialog")).to_have_count(0)
    expect(kept.locator(".outbox")).to_have_count(0)
    assert len(reports(api, "accepted then")) == 1


PERSIST = "window.asked = 0; StorageManager.prototype.persist = async () => { window.asked += 1; return true; };"


@pytest.mark.thorough
def test_the_browser_is_asked_to_keep_what_waits_and_not_before(kept: Page) -> None:
    kept.evaluate(f"() => {{ {PERSIST} }}")
    fill_in(kept, "arrives at once")
    kept.click("#sheet-send")
    expect(kept.locator("dialog")).to_have_count(0)
    assert kept.evaluate("window.asked") == 0

    report_offline(kept, "has to wait")

    assert kept.evaluate("window.asked") == 1


@pytest.mark.thorough
def test_the_browser_is_asked_to_keep_what_an_installed_app_has(kept: Page) -> None:
    kept.evaluate(f"() => {{ {PERSIST} }}")

    kept.evaluate("dispatchEvent(new Event('appinstalled'))")

    assert kept.evaluate("window.asked") == 1


@pytest.mark.thorough
def test_a_draft_outlives_the_app(kept: Page) -> None:
    fill_in(kept, "half a sent")
    wait_until(
        kept,
        """async (typed) => {
            const {recall} = await import("/static/dashboard/vault.js");
            return (await recall("drafts of reports"))?.some(([, {comment}]) => comment === typed);
        }""",
        "half a sent",
    )

    kept.reload()
    kept.locator(".report").first.click()

    expect(kept.locator("#comment")).to_have_value("half a sent")
    expect(kept.locator("#rating-4")).to_be_checked()


@pytest.mark.thorough
def test_the_profile_without_a_network_is_calm_and_fills_itself_afterwards(kept: Page) -> None:
    go_offline(kept)
    kept.get_by_role("link", name="Profile").click()

    expect(kept.get_by_text("shown as soon as the server can be reached")).to_have_count(2)
    expect(kept.get_by_role("alert")).to_have_count(0)

    kept.context.set_offline(False)
    expect(kept.locator("#consent-statistics")).to_be_visible()
    expect(kept.get_by_text("shown as soon as the server can be reached")).to_have_count(0)
