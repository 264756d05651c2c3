"""What lies on the device: ciphertext until one signs out, then nothing; who signs in next finds only their own."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import sign_in
from tests.e2e.offline import report_offline, reports


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
def test_signing_out_asks_before_it_loses_a_report(kept: Page) -> None:
    report_offline(kept, "would be lost")
    kept.get_by_role("link", name="Profile").click()
    kept.click("#sign-out")
    expect(kept.get_by_role("dialog")).to_contain_text("1 report has not reached the clinic yet")

    kept.click("#confirm-leaving")

    expect(kept.locator(".notice")).to_contain_text("The server could not be told")
    assert on_the_device(kept) == []


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
