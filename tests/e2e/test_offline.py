"""Without a network: the shell opens, what was seen last is there, and what is typed arrives once."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Server, sign_in


def wait_for_worker(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller")


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


# Whether what is on the screen lies on the device, too: it is kept when it has come to rest.
IS_KEPT = """async () => {
    const {recall} = await import("/static/dashboard/vault.js");
    const names = [`seen diagnosis ${location.hash.split("/").pop()}`, "seen today", "side effects"];
    const [diagnosis, ...others] = await Promise.all(names.map((name) => recall(name)));
    const shown = document.querySelectorAll(".event").length;
    return others.every(Boolean) && diagnosis?.data.ranking && shown && diagnosis.data.events.length === shown;
}"""


def wait_until(page: Page, holds: str, arg: Any = None) -> None:
    """Until the promise of `holds` is kept with something true: `wait_for_function` takes the promise for it."""
    for _ in range(200):
        if page.evaluate(holds, arg):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never within 20 s: {holds}")


@pytest.fixture
def kept(watching: Page) -> Page:
    """Sara's diagnosis, seen and kept; the home screen, too."""
    wait_for_worker(watching)
    watching.wait_for_selector(".recommendation")
    wait_until(watching, IS_KEPT)
    return watching


def go_offline(page: Page) -> None:
    page.context.set_offline(True)


def report_offline(page: Page, comment: str) -> None:
    go_offline(page)
    fill_in(page, comment)
    page.click("#sheet-send")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".outbox [data-state=waiting]")).to_contain_text(comment)


def fill_in(page: Page, comment: str) -> None:
    page.locator(".report").first.click()
    page.click("label[for=rating-4]")
    page.click("label[for=symptom_improvement-5]")
    page.fill("#comment", comment)


def reports(api: httpx.Client, comment: str) -> list[dict[str, Any]]:
    everything = api.get("/api/feedback/", params={"page_size": 100}).json()["results"]
    return [report for report in everything if report["comment"] == comment]


def on_the_device(page: Page) -> list[dict[str, Any]]:
    """Every value in every store, as it lies there; bytes as text."""
    found: list[dict[str, Any]] = page.evaluate(
        """async () => {
            const wait = (request) => new Promise((go) => (request.onsuccess = () => go(request.result)));
            const database = await wait(indexedDB.open("avicenna"));
            const store = database.transaction("values").objectStore("values");
            const [names, values] = await Promise.all([wait(store.getAllKeys()), wait(store.getAll())]);
            const text = (bytes) => new TextDecoder("latin1").decode(bytes);
            const isPlain = ({nonce, sealed, ...rest}) => !nonce || Object.keys(rest).length > 0;
            const shown = (value) => ({text: text(value.sealed), isPlain: isPlain(value)});
            return names.map((name, index) => ({name, ...shown(values[index])}));
        }"""
    )
    return found


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
def test_signing_out_asks_before_it_loses_a_report(kept: Page) -> None:
    report_offline(kept, "would be lost")
    kept.get_by_role("link", name="Profile").click()
    kept.click("#sign-out")
    expect(kept.get_by_role("dialog")).to_contain_text("1 report has not reached the clinic yet")

    kept.click("#confirm-leaving")

    expect(kept.locator(".notice")).to_contain_text("The server could not be told")
    assert on_the_device(kept) == []


@pytest.mark.thorough
def test_the_profile_without_a_network_is_calm_and_fills_itself_afterwards(kept: Page) -> None:
    go_offline(kept)
    kept.get_by_role("link", name="Profile").click()

    expect(kept.get_by_text("shown as soon as the server can be reached")).to_have_count(2)
    expect(kept.get_by_role("alert")).to_have_count(0)

    kept.context.set_offline(False)
    expect(kept.locator("#consent-statistics")).to_be_visible()
    expect(kept.get_by_text("shown as soon as the server can be reached")).to_have_count(0)


@pytest.mark.thorough
def test_signing_out_in_one_tab_signs_out_the_others(kept: Page) -> None:
    other = kept.context.new_page()
    other.goto("/#/profile")
    other.click("#sign-out")

    kept.wait_for_selector("#email")
    assert on_the_device(kept) == []


def test_the_device_holds_ciphertext_and_after_signing_out_nothing(kept: Page) -> None:
    condition = kept.locator("h1").inner_text()
    values = on_the_device(kept)
    assert {value["name"].split(" ")[0] for value in values} >= {"session", "me", "owner", "seen", "side"}
    assert not any(value["isPlain"] for value in values)
    words = (condition, "Sara", "refresh", "recommendation")
    assert not any(word in value["text"] for value in values for word in words)

    kept.get_by_role("link", name="Profile").click()
    kept.click("#sign-out")
    kept.wait_for_selector("#email")

    assert on_the_device(kept) == []
    kept.reload()
    kept.wait_for_selector("#email")


@pytest.mark.thorough
def test_what_is_answered_after_a_wipe_is_not_kept(kept: Page) -> None:
    kept.evaluate(
        """async () => {
            const vault = await import("/static/dashboard/vault.js");
            await vault.wipe();
            await vault.keep("seen late", {});
        }"""
    )

    assert on_the_device(kept) == []


@pytest.mark.thorough
def test_who_signs_in_next_finds_nothing_of_the_one_before(kept: Page) -> None:
    kept.evaluate(
        """async () => {
            const {access} = await (await import("/static/dashboard/vault.js")).recall("session");
            await fetch("/api/auth/logout", {method: "POST", headers: {Authorization: `Bearer ${access}`}});
        }"""
    )
    kept.wait_for_selector("#email")
    sign_in(kept, "dr.amini@demo.example")

    assert {value["name"] for value in on_the_device(kept)} <= {"session", "me", "owner"}


@pytest.mark.thorough
def test_the_other_persons_reports_are_not_sent_under_ones_own_name(kept: Page, api: httpx.Client) -> None:
    report_offline(kept, "of Sara")
    kept.evaluate("import('/static/dashboard/vault.js').then(({keep}) => keep('session', {access: '', refresh: ''}))")
    kept.reload()
    kept.context.set_offline(False)
    kept.wait_for_selector("#email")

    sign_in(kept, "dr.amini@demo.example")

    assert not [value for value in on_the_device(kept) if value["name"] == "outbox"]
    assert reports(api, "of Sara") == []


@pytest.mark.thorough
def test_what_waits_outlives_the_end_of_the_session(kept: Page, api: httpx.Client) -> None:
    report_offline(kept, "after signing in again")
    kept.evaluate("import('/static/dashboard/vault.js').then(({keep}) => keep('session', {access: '', refresh: ''}))")
    kept.reload()
    kept.context.set_offline(False)
    kept.wait_for_selector("#email")

    sign_in(kept, "sara@demo.example")

    expect(kept.locator(".outbox [data-state=received]")).to_be_visible()
    assert len(reports(api, "after signing in again")) == 1
