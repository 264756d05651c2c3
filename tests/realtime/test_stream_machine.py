"""Random histories of a stream against a model: every client sees every event it may see, once and in order.

Clients speak to the ASGI application itself; hints get lost, transactions are rolled back, events are pruned, rights
are taken and given, and sockets come and go.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import Role, User
from avicenna.identifiers import new_id
from diagnoses.actions import change_diagnosis, create_patient, record_diagnosis, set_care_team
from diagnoses.models import Condition, Diagnosis
from realtime.actions import prune_events
from realtime.consumers import diagnosis_stream
from realtime.hub import current_hub

from .conftest import access_token

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = st.sampled_from(["phone", "tablet", "desk"])
SECONDS = 5.0


class Client:
    """One device over any number of sockets; it fails the test at the first event that is not the next one."""

    def __init__(self, token: str, diagnosis_id: UUID) -> None:
        self.token = token
        self.diagnosis_id = diagnosis_id
        self.position = 0
        self.started_over_from = 0  # the newest position that a reset took it from
        self.wrong = ""
        self.close_code: int | None = None
        self._inbox: asyncio.Queue[dict[str, Any]] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return self._task is not None and not self._task.done()

    async def connect(self) -> None:
        self.close_code = None
        self._inbox = asyncio.Queue()
        scope = {
            "query_string": f"since={self.position}".encode(),
            "headers": [(b"authorization", f"Bearer {self.token}".encode())],
            "client": ("127.0.0.1", 1),
            "url_route": {"kwargs": {"diagnosis_id": self.diagnosis_id}},
        }
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(diagnosis_stream(scope, self._inbox.get, self._take))

    async def disconnect(self) -> None:
        assert self._inbox and self._task
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await self._task

    async def _take(self, message: dict[str, Any]) -> None:
        assert self._inbox
        if message["type"] == "websocket.close":
            self.close_code = message["code"]
            self._inbox.put_nowait({"type": "websocket.disconnect", "code": self.close_code})
        elif message["type"] == "websocket.send":
            self._read(json.loads(message["text"]))

    def _read(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "reset":
            self.started_over_from = max(self.started_over_from, self.position)
            self.position = frame["data"]["head"]
        elif frame["type"] == "diagnosis_update":
            if frame["seq"] != self.position + 1:
                self.wrong = f"{frame['seq']} after {self.position}"
            self.position = frame["seq"]


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    running = asyncio.new_event_loop()
    thread = threading.Thread(target=running.run_forever, daemon=True)
    thread.start()
    yield running
    running.call_soon_threadsafe(running.stop)
    thread.join(timeout=5)


class Stream(RuleBasedStateMachine):
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=SECONDS)

    @initialize()
    def begin(self) -> None:
        tag = new_id()
        self.doctor = User.objects.create(email=f"{tag}@clinic.example", role=Role.PRACTITIONER)
        self.patient = create_patient(actor=None, full_name="Somebody", care_team=[self.doctor])
        condition = Condition.objects.create(slug=str(tag), name_en="Headache", name_fa="سردرد")
        self.diagnosis: Diagnosis = record_diagnosis(actor=None, patient=self.patient, condition=condition, severity=1)
        self.head, self.pruned = 1, 0
        self.may_see, self.head_at_loss = True, 0
        self.clients: dict[str, Client] = {}

    def client(self, name: str) -> Client:
        if name not in self.clients:
            self.clients[name] = Client(access_token(self.doctor), self.diagnosis.pk)
        return self.clients[name]

    def change(self, times: int) -> None:
        for _ in range(times):
            self.diagnosis = change_diagnosis(
                actor=None, diagnosis=self.diagnosis, changes={"severity": self.diagnosis.severity % 5 + 1}
            )

    @rule(times=st.integers(1, 5))
    def publish(self, times: int) -> None:
        self.change(times)
        self.head += times

    @rule(times=st.integers(1, 3))
    def publish_and_lose_the_hint(self, times: int) -> None:
        with mock.patch("realtime.publish.send_hint"):
            self.change(times)
        self.head += times

    @rule()
    def roll_back(self) -> None:
        before = self.diagnosis
        with transaction.atomic():
            self.change(1)
            transaction.set_rollback(True)
        self.diagnosis = before

    @rule(keep=st.integers(0, 4))
    def prune(self, keep: int) -> None:
        prune_events(keep=keep)
        self.pruned = max(self.pruned, self.head - keep)

    @rule(name=NAMES)
    def connect(self, name: str) -> None:
        if not self.client(name).is_open:
            self.run(self.client(name).connect())

    @rule(name=NAMES)
    def disconnect(self, name: str) -> None:
        if self.client(name).is_open:
            self.run(self.client(name).disconnect())

    @precondition(lambda self: self.may_see)
    @rule(is_told=st.booleans())
    def take_the_right(self, is_told: bool) -> None:
        self.head_at_loss = self.head
        with mock.patch("realtime.publish._send_rights_hint") if not is_told else mock.MagicMock():
            set_care_team(actor=None, patient=self.patient, practitioners=[])
        self.may_see = False

    @precondition(lambda self: not self.may_see)
    @rule()
    def give_the_right(self) -> None:
        self.settle()  # who lost it is out before it comes back
        set_care_team(actor=None, patient=self.patient, practitioners=[self.doctor])
        self.may_see = True

    @rule()
    def settle(self) -> None:
        """After the periodic check everybody has everything, or is out."""
        self.run(check())
        deadline = time.monotonic() + SECONDS
        while wanting := [name for name, client in self.clients.items() if self.is_wanting(client)]:
            assert time.monotonic() < deadline, f"{wanting} never got there"
            time.sleep(0.002)

    def is_wanting(self, client: Client) -> bool:
        if not client.is_open:
            return False
        return client.position != self.head if self.may_see else client.close_code is None

    @invariant()
    def nothing_is_told_twice_or_left_out(self) -> None:
        for client in getattr(self, "clients", {}).values():
            assert not client.wrong
            assert client.position <= self.head
            assert client.started_over_from <= self.pruned
            assert self.may_see or client.position <= self.head_at_loss

    def teardown(self) -> None:
        if hasattr(self, "clients"):
            self.settle()
            for name in self.clients:
                self.disconnect(name)
        connection.close()


def test_any_history_is_told_once_and_in_order(loop: asyncio.AbstractEventLoop) -> None:
    Stream.loop = loop
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Stream,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            deadline=None,
            # Not the shrinking: a history hangs on threads, and each try of it costs seconds.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


async def check() -> None:
    await current_hub().check()
