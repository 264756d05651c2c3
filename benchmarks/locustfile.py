"""Patients as locust users: they sign in, watch their diagnosis through a socket, read, ask what helps, and
report.

Run by `make load` (benchmarks/load.py), which names LOAD_ACCOUNTS, made by benchmarks/load_clinic.py. Beside
requests it counts, as `WS`:

* `event`: from the server's time in a frame, when the change was made, to the arrival of the frame; by the
  server's clock, which the first frame of each socket tells, less that frame's way;
* `own report`: from sending a report to the event that tells of it;
* `connect`: from asking for a ticket to the first frame.
"""

from __future__ import annotations

import json
import os
import random
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

import gevent
import websocket
from locust import FastHttpUser, between, events, task

HEARTBEAT_SECONDS = 20
RECONNECT_SECONDS = (1, 5)
LATE_SECONDS = 30
WS = "WS"


def accounts() -> Iterator[dict[str, Any]]:
    with open(os.environ["LOAD_ACCOUNTS"]) as file:
        return cycle([json.loads(line) for line in file])


ACCOUNTS = accounts()


# One for all: to make one takes longer than what is measured, and a phone makes it once in its life.
TRUSTED = ssl.create_default_context(cafile=os.environ.get("LOAD_CERTIFICATE") or None)


def trusted(cafile: str) -> ssl.SSLContext:
    """Without the authorities that the client would load: a tenth of a second for each user."""
    return TRUSTED


def measured(name: str, seconds: float, size: int = 0, error: Exception | None = None) -> None:
    events.request.fire(
        request_type=WS, name=name, response_time=seconds * 1000, response_length=size, exception=error, context={}
    )


class Patient(FastHttpUser):
    wait_time = between(5, 15)
    connection_timeout = network_timeout = 30.0
    ssl_context_factory, insecure = staticmethod(trusted), False

    def on_start(self) -> None:
        self.account = next(ACCOUNTS)
        self.position = 0
        self.awaited: dict[str, float] = {}  # report → when it was sent
        access = self.account.get("access") or self._sign_in()
        self.bearer = {"Authorization": f"Bearer {access}"}
        self.reader = gevent.spawn(self._watch)

    def on_stop(self) -> None:
        self.reader.kill()

    # ── what a patient does, every 5 to 15 seconds ───────────────────────────────────────────────────────────────────

    @task(3)
    def open_the_app(self) -> None:
        self._get("/api/diagnoses/")
        self._get(f"/api/feedback/due?since={datetime.now(UTC):%Y-%m-%d}T00:00:00Z", name="/api/feedback/due")

    @task(3)
    def ask_what_helps(self) -> None:
        self._get(f"/api/predictions/?diagnosis={self.account['diagnosis']}", name="/api/predictions/")

    @task(1)
    def read_the_diagnosis(self) -> None:
        self._get(f"/api/diagnoses/{self.account['diagnosis']}/feedback-overview", name="/api/…/feedback-overview")
        self._get(f"/api/analytics/diagnoses/{self.account['diagnosis']}", name="/api/analytics/diagnoses/…")

    @task(3)
    def report(self) -> None:
        self._count_lost()
        rating = random.choices(range(1, 6), (1, 2, 3, 4, 3))[0]
        body = {"recommendation": random.choice(self.account["recommendations"]), "rating": rating}
        sent = time.time()
        answer = self.client.post("/api/feedback/", json=body | {"symptom_improvement": rating}, headers=self.bearer)
        if answer.status_code == 201:
            self._await_own(answer.json()["id"], sent)

    def _get(self, path: str, name: str | None = None) -> None:
        self.client.get(path, headers=self.bearer, name=name or path)

    def _sign_in(self) -> str:
        body = {name: self.account[name] for name in ("email", "password")}
        access: str = self.client.post("/api/auth/token", json=body).json()["access"]
        return access

    def _await_own(self, report: str, sent: float) -> None:
        """The event may have come before the answer."""
        if (arrived := self.awaited.pop(report, None)) is not None:
            measured("own report", arrived - sent)
        else:
            self.awaited[report] = sent

    def _count_lost(self) -> None:
        now = time.time()
        for report, sent in list(self.awaited.items()):
            if now - sent > LATE_SECONDS:
                measured("own report", now - sent, error=TimeoutError("the event never came"))
                del self.awaited[report]

    # ── the socket ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _watch(self) -> None:
        """Comes back with `since` whenever the connection ends; that it ended is a failure here."""
        while True:
            started = time.time()
            try:
                self._follow(self._connected(started), started)
            except (OSError, websocket.WebSocketException, KeyError, TypeError, ValueError) as error:
                measured("connection", time.time() - started, error=error)
            gevent.sleep(random.uniform(*RECONNECT_SECONDS))

    def _connected(self, started: float) -> websocket.WebSocket:
        asked = {"diagnosis": self.account["diagnosis"]}
        url = self.client.post("/api/realtime/tickets", json=asked, headers=self.bearer).json()["url"]
        host = self.host.replace("http", "ws", 1)
        sockets = random.choice(os.environ.get("LOAD_SOCKETS", host).split(","))
        return websocket.create_connection(
            f"{sockets}{url}&since={self.position}",
            timeout=LATE_SECONDS + HEARTBEAT_SECONDS,
            sslopt={"context": TRUSTED},
        )

    def _follow(self, opened: websocket.WebSocket, started: float) -> None:
        ahead, heart = 0.0, gevent.spawn(self._beat, opened)
        try:
            while True:
                text = opened.recv()
                now, frame = time.time(), json.loads(text)
                at = datetime.fromisoformat(frame["timestamp"]).timestamp()
                if frame["type"] == "connect":
                    ahead = at - now
                    measured("connect", now - started)
                elif frame["seq"] > self.position and frame["type"] != "pong":
                    self._take(frame, now, max(0.0, now + ahead - at), len(text), is_news=at - ahead > started)
        finally:
            heart.kill()
            opened.close()

    def _take(self, frame: dict[str, Any], now: float, took: float, size: int, *, is_news: bool) -> None:
        self.position = frame["seq"]
        if is_news:
            measured("event", took, size)
        if frame["type"] == "feedback_update":
            report = frame["data"]["feedback_id"]
            if (sent := self.awaited.pop(report, None)) is not None:
                measured("own report", now - sent)
            elif is_news:
                self.awaited[report] = now

    def _beat(self, opened: websocket.WebSocket) -> None:
        while True:
            gevent.sleep(HEARTBEAT_SECONDS)
            opened.send('{"type": "ping"}')
