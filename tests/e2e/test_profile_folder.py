"""What the browser itself leaves on the disk: its whole folder is searched, not only what a page may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import CHROMIUM_FLAGS, PHONE, Server, sign_in
from tests.e2e.offline import fill_in, wait_for_worker

pytestmark = pytest.mark.thorough
IN_THE_PAGE = """async () => {
    const {recall} = await import("/static/dashboard/vault.js");
    return {...(await recall("session")), title: document.querySelector("h1").innerText};
}"""
IN_EVERY_STORE = """async () => {
    const wait = (request) => new Promise((go) => (request.onsuccess = () => go(request.result)));
    const kept = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
    for (const {name} of await indexedDB.databases()) {
        const database = await wait(indexedDB.open(name));
        for (const store of database.objectStoreNames)
            kept.push(JSON.stringify(await wait(database.transaction(store).objectStore(store).getAll())));
    }
    for (const name of await caches.keys())
        for (const answer of await (await caches.open(name)).matchAll()) kept.push(await answer.text());
    return kept.join(" ");
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "profile"


@pytest.fixture
def context(browser: Browser, chromium: str, server: Server, folder: Path) -> Iterator[BrowserContext]:
    """No private window: a browser that writes to the disk what it can."""
    context = browser.browser_type.launch_persistent_context(
        folder, executable_path=chromium, args=CHROMIUM_FLAGS, locale="en-GB", base_url=server.url, **PHONE
    )
    context.add_init_script("localStorage['avicenna.language'] ??= 'en'")
    yield context
    context.close()


def report(page: Page, comment: str) -> None:
    fill_in(page, comment)
    page.click("#sheet-send")
    expect(page.locator("dialog")).to_have_count(0)


def test_after_signing_out_the_folder_of_the_browser_holds_nothing_of_the_clinic(
    context: BrowserContext, folder: Path
) -> None:
    page, words = context.new_page(), {"comment": f"canary{uuid4().hex}"}
    page.goto("/")
    wait_for_worker(page)
    sign_in(page, "sara@demo.example")
    page.click("a.link >> nth=0")
    page.wait_for_selector("[data-state=live]")
    report(page, words["comment"])
    page.wait_for_timeout(1000)  # what is kept when the screen has come to rest
    words |= page.evaluate(IN_THE_PAGE)
    page.get_by_role("link", name="Profile").click()
    page.click("#sign-out")
    page.wait_for_selector("#email")

    stores = page.evaluate(IN_EVERY_STORE)
    context.close()
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert {"access", "refresh", "title"} <= set(words)
    assert [name for name, word in words.items() if word in stores] == []
    found = {
        (name, str(path.relative_to(folder)))
        for name, word in words.items()
        for path, content in files.items()
        if word.encode() in content or word.encode("utf-16-le") in content
    }
    assert found == set()
    assert any(b"avicenna" in content for content in files.values())  # it is the folder where it would lie
