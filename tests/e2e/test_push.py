"""Messages to the device: asked for in the profile, shown by the service worker, gone with the session."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, sign_in
from tests.e2e.offline import wait_until

pytestmark = pytest.mark.thorough

# A browser under test reaches no push service: what one would give stands in for it, with a key made here.
SUBSCRIBE = """
let subscription = null;
PushManager.prototype.getSubscription = async () => subscription;
PushManager.prototype.subscribe = async ({userVisibleOnly, applicationServerKey}) => {
    if (!userVisibleOnly || !applicationServerKey) throw new Error("refused");
    const pair = await crypto.subtle.generateKey({name: "ECDH", namedCurve: "P-256"}, true, ["deriveBits"]);
    const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
        .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const p256dh = text(await crypto.subtle.exportKey("raw", pair.publicKey));
    const auth = text(crypto.getRandomValues(new Uint8Array(16)));
    const endpoint = `https://fcm.googleapis.com/fcm/send/${auth}`;
    const unsubscribe = async () => { subscription = null; self.unsubscribed = true; return true; };
    const options = {applicationServerKey};
    return (subscription = {endpoint, options, unsubscribe, toJSON: () => ({endpoint, keys: {p256dh, auth}})});
};
"""


@pytest.fixture
def profile(page: Page, server: Server) -> Page:
    page.context.grant_permissions(["notifications"], origin=server.url)
    page.add_init_script(SUBSCRIBE)
    page.reload()
    page.evaluate("navigator.serviceWorker.ready")
    sign_in(page, "sara@demo.example")
    page.get_by_role("link", name="Profile").click()
    return page


def is_subscribed(page: Page) -> Any:
    return page.evaluate(
        """async () => {
            const {get} = await import("/static/dashboard/api.js");
            return (await get("/api/me/push")).is_subscribed;
        }"""
    )


def test_who_wants_to_be_told_says_so_in_the_profile(profile: Page) -> None:
    expect(profile.get_by_role("switch", name="Tell me when there is something new")).not_to_be_checked()

    profile.locator("label", has_text="Tell me when").click()

    expect(profile.locator("#push")).to_be_checked()
    expect(profile.locator("#push")).to_be_enabled()
    assert is_subscribed(profile)
    profile.locator("label", has_text="Tell me when").click()
    expect(profile.locator("#push")).not_to_be_checked()
    expect(profile.locator("#push")).to_be_enabled()
    assert not is_subscribed(profile)


def test_signing_out_ends_the_messages(profile: Page, api: httpx.Client) -> None:
    profile.locator("label", has_text="Tell me when").click()
    expect(profile.locator("#push")).to_be_checked()

    profile.click("#sign-out")
    profile.wait_for_selector("#email")

    assert profile.evaluate("window.unsubscribed")


def change_address(page: Page) -> Any:
    """What a browser does when it drops an address; answers what the worker has done about it."""
    (worker,) = page.context.service_workers
    worker.evaluate(f"() => {{ {SUBSCRIBE} }}")
    return worker.evaluate(
        """async () => {
            const old = {options: {applicationServerKey: "the same key"}};
            const event = new Event("pushsubscriptionchange");
            Object.assign(event, {oldSubscription: old, newSubscription: null});
            let work;
            event.waitUntil = (promise) => (work = promise);
            self.dispatchEvent(event);
            await work;
            return (await self.registration.pushManager.getSubscription())?.options.applicationServerKey;
        }"""
    )


def test_another_address_is_asked_for_with_the_same_key_and_told_to_the_clinic(profile: Page) -> None:
    profile.locator("label", has_text="Tell me when").click()
    expect(profile.locator("#push")).to_be_checked()
    profile.evaluate(
        # What the worker gets the page would see, too; here each has a stand-in of its own.
        """async () => {
            const {pushManager} = await navigator.serviceWorker.ready;
            await pushManager.subscribe({userVisibleOnly: true, applicationServerKey: "the same key"});
        }"""
    )

    with profile.expect_request(lambda request: request.method == "PUT") as told:
        assert change_address(profile) == "the same key"

    now = profile.evaluate(
        "navigator.serviceWorker.ready.then((w) => w.pushManager.getSubscription()).then((s) => s.endpoint)"
    )
    assert told.value.post_data_json["endpoint"] == now


def test_an_address_that_changed_while_the_app_was_closed_is_told_at_its_next_start(profile: Page) -> None:
    profile.locator("label", has_text="Tell me when").click()
    expect(profile.locator("#push")).to_be_checked()
    profile.add_init_script(
        """navigator.serviceWorker.ready.then(({pushManager}) =>
            pushManager.subscribe({userVisibleOnly: true, applicationServerKey: "another"}))"""
    )

    with profile.expect_request(lambda request: request.method == "PUT"):
        profile.reload()


def test_an_address_that_was_dropped_while_the_app_was_closed_is_asked_for_again(profile: Page) -> None:
    profile.locator("label", has_text="Tell me when").click()
    expect(profile.locator("#push")).to_be_checked()

    with profile.expect_request(lambda request: request.method == "PUT"):
        profile.reload()  # whereby the stand-in forgets its address


@pytest.mark.parametrize("leave", ["#sign-out", "#push"])
def test_who_signed_out_or_wants_no_messages_is_not_subscribed_again(profile: Page, leave: str) -> None:
    profile.locator("label", has_text="Tell me when").click()
    expect(profile.locator("#push")).to_be_checked()
    profile.locator(leave).dispatch_event("click")
    profile.wait_for_selector("#email") if leave == "#sign-out" else expect(
        profile.locator("#push")
    ).not_to_be_checked()
    profile.wait_for_timeout(300)

    assert change_address(profile) is None


def test_a_clinic_without_a_key_offers_no_messages(profile: Page) -> None:
    profile.get_by_role("link", name="Home").click()
    answer = {"public_key": None, "is_subscribed": False}
    profile.route("**/api/me/push", lambda route: route.fulfill(json=answer))
    profile.reload()

    with profile.expect_response("**/api/me/push"):
        profile.get_by_role("link", name="Profile").click()

    expect(profile.locator("#sign-out")).to_be_visible()
    expect(profile.locator("#push")).to_have_count(0)


def test_a_message_is_shown_and_a_later_one_takes_its_place(profile: Page, server: Server) -> None:
    devtools = profile.context.new_cdp_session(profile)
    registrations: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: registrations.extend(row["registrationId"] for row in told["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    for _ in range(100):
        if not registrations:
            profile.wait_for_timeout(50)
    for body in ("There is something new for you.", "Again."):
        message = json.dumps({"title": "Avicenna", "body": body})
        told = {"origin": server.url, "registrationId": registrations[0], "data": message}
        devtools.send("ServiceWorker.deliverPushMessage", told)
        wait_until(
            profile,
            """async (body) => {
                const shown = await (await navigator.serviceWorker.ready).getNotifications();
                return shown.length === 1 && shown[0].body === body && shown[0].tag === "news";
            }""",
            body,
        )
