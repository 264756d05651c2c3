"""stream.js against sockets that misbehave on purpose, on a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import Server

# A stream whose sockets are ours: `sockets[n].say(frame)`, `sockets[n].end(code)`; `told` lists what it emitted.
HARNESS = """async () => {
  const { DiagnosisStream } = await import("/static/dashboard/stream.js");
  class Socket {
    readyState = 1; sent = [];
    constructor(address) { this.address = address; }
    say(type, seq, data = {}) { this.onmessage({ data: JSON.stringify({ type, seq, data }) }); }
    end(code) { this.onclose({ code }); }
    send(text) { this.sent.push(JSON.parse(text)); }
    close() { this.closed = true; }
  }
  window.sockets = []; window.told = []; window.refusal = null;
  const ticket = async () => { if (refusal) throw refusal; return "/ws/x/?ticket=t" };
  const open = (address) => (sockets.push(new Socket(address)), sockets.at(-1));
  const timing = { first: 1, answer: 500, steady: 10_000, confirm: 40 };
  window.stream = new DiagnosisStream({ ticket, open, token: async () => "fresh", since: 5, timing });
  for (const type of ["event", "reset", "state"]) {
    stream.addEventListener(type, ({ detail }) => told.push(detail.seq ?? detail.state ?? detail.head));
  }
  stream.start();
}"""


@pytest.fixture
def stream(browser: Browser, server: Server) -> Iterator[Page]:
    """An empty page of the same origin with a stream that is catching up from 5 to 7."""
    page = browser.new_page(bypass_csp=True)  # what is no page may load nothing
    page.clock.install(time="2025-01-01")
    page.goto(f"{server.url}/health/live")
    page.clock.pause_at("2025-01-02")
    page.evaluate(HARNESS)
    after(page, "sockets[0].say('connect', 5, { head: 7, heartbeat_seconds: 0.03 })")
    yield page
    page.close()


def after(page: Page, script: str, milliseconds: int = 20) -> Any:
    """What the stream told in all, so long after the script."""
    page.evaluate(script)
    page.clock.run_for(milliseconds)
    return page.evaluate("told")


def test_catches_up_then_is_live(stream: Page) -> None:
    told = after(stream, "sockets[0].say('e', 6); sockets[0].say('e', 7)")
    assert told == ["connecting", "catching_up", 6, 7, "live"]


def test_an_event_told_twice_is_handed_over_once(stream: Page) -> None:
    assert after(stream, "for (const n of [6, 6, 5, 7]) sockets[0].say('e', n)").count(6) == 1


def test_a_gap_asks_again_from_the_last_event(stream: Page) -> None:
    told = after(stream, "sockets[0].say('e', 6); sockets[0].say('e', 8)")
    assert 8 not in told
    assert stream.evaluate("sockets[0].closed && new URL(sockets[1].address).searchParams.get('since')") == "6"


def test_a_pong_that_knows_more_is_a_gap(stream: Page) -> None:
    after(stream, "sockets[0].say('pong', 7, { head: 7 })")
    assert stream.evaluate("sockets.length") == 2


def test_a_reset_moves_the_position(stream: Page) -> None:
    told = after(stream, "sockets[0].say('reset', 300, { head: 300, snapshot: {} }); sockets[0].say('e', 301)")
    assert told[-3:] == [300, "live", 301]


def test_what_was_handed_over_is_confirmed_once_for_many(stream: Page) -> None:
    after(stream, "for (const n of [6, 7, 8]) sockets[0].say('e', n)", milliseconds=100)
    assert stream.evaluate("sockets[0].sent.filter(({ type }) => type === 'ack')") == [{"type": "ack", "seq": 8}]


def test_what_could_not_be_confirmed_is_confirmed_on_the_next_connection(stream: Page) -> None:
    after(stream, "sockets[0].say('e', 6); sockets[0].end(1006)", milliseconds=100)
    after(stream, "sockets[1].say('connect', 6, { head: 6, heartbeat_seconds: 9 })", milliseconds=100)
    assert stream.evaluate("sockets.map(({ sent }) => sent.filter(({ type }) => type === 'ack'))") == [
        [],
        [{"type": "ack", "seq": 6}],
    ]


def test_a_token_that_expires_is_renewed_in_place(stream: Page) -> None:
    after(stream, "sockets[0].say('token_expiring', 7, { seconds: 30 })")
    assert {"type": "refresh", "token": "fresh"} in stream.evaluate("sockets[0].sent")


def test_a_silent_server_is_left(stream: Page) -> None:
    after(stream, "", milliseconds=700)
    assert stream.evaluate("sockets[0].sent[0].type") == "ping"
    assert stream.evaluate("sockets[0].closed")


@pytest.mark.parametrize(("code", "reason"), [(4403, "not_allowed"), (4400, "refused"), (4413, "refused")])
def test_final_close_codes_end_it(stream: Page, code: int, reason: str) -> None:
    after(stream, f"sockets[0].end({code})")
    assert stream.evaluate("[stream.state.state, stream.state.reason, sockets.length]") == ["ended", reason, 1]


@pytest.mark.parametrize("code", [1006, 1012, 4008, 4401])
def test_other_close_codes_are_tried_again(stream: Page, code: int) -> None:
    after(stream, f"sockets[0].end({code})")
    assert stream.evaluate("sockets.length") == 2


def test_a_session_that_ended_stops_it(stream: Page) -> None:
    after(stream, "refusal = { status: 401 }; sockets[0].end(4401)")
    assert stream.evaluate("stream.state.reason") == "signed_out"


def test_too_many_messages_wait_a_minute(stream: Page) -> None:
    after(stream, "sockets[0].end(4429)")
    assert stream.evaluate("stream.state.retryAt - Date.now()") > 55_000
