"""Without a network: the shell opens, what was seen last is there, and what is typed arrives once."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import sign_in


def wait_for_worker(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller")


def test_the_shell_opens_without_a_network_after_one_visit(page: Page) -> None:
    wait_for_worker(page)
    page.context.set_offline(True)

    page.reload()

    expect(page.locator("h1")).to_have_text("Sign in")


def test_the_worker_keeps_no_answer_of_the_api_and_nothing_of_the_admin(page: Page) -> None:
    wait_for_worker(page)
    sign_in(page, "sara@demo.example")
    page.evaluate("fetch('/admin/')")

    kept = page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async (name) =>
        (await (await caches.open(name)).keys()).map(({url}) => new URL(url).pathname)))).flat()"""
    )
    assert [path for path in kept if path != "/" and not path.startswith("/static/dashboard/")] == []


def test_the_app_can_be_installed(page: Page) -> None:
    wait_for_worker(page)
    devtools = page.context.new_cdp_session(page)

    errors = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]

    # A context of a test is a private window, where nothing can be installed.
    assert [error for error in errors if error["errorId"] != "in-incognito"] == []
    assert devtools.send("Page.getAppManifest")["errors"] == []


def test_another_version_is_offered_and_waits(page: Page) -> None:
    wait_for_worker(page)
    page.evaluate("window.same = true")
    page.evaluate("navigator.serviceWorker.register('/sw.js?newer')")
    expect(page.locator("#new-version")).to_contain_text("A new version is ready.")
    assert page.evaluate("window.same")

    page.click("#new-version button")

    expect(page.locator("#new-version")).to_have_count(0)
    assert page.evaluate("window.same") is None
