"""The one way out for events: a numbered row inside the transaction, a hint after its commit."""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import time
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import connection, transaction

from avicenna.identifiers import new_id
from avicenna.sql import Row, Statement, insert, run
from realtime.events import Event
from realtime.models import DiagnosisEvent, News, RightsClock

if TYPE_CHECKING:
    from accounts.models import User
    from diagnoses.models import Diagnosis

logger = logging.getLogger(__name__)

# How many events of a diagnosis a client may have missed and still catch up one by one.
KEPT_EVENTS = 100

# How long a process that ends waits for hints still on their way.
FLUSH_SECONDS = 2.0


# Every server process listens here for changes of rights.
RIGHTS_GROUP = "rights"


def group_of(diagnosis_id: UUID) -> str:
    return f"diagnosis.{diagnosis_id}"


def publish(diagnosis: Diagnosis, *events: Event) -> None:
    """Appends events to the stream of `diagnosis`, whose `head` is then the newest number.

    Must run in the transaction that made the change: both are committed or neither.
    """
    [raised] = run(numbering(diagnosis, len(events)))
    run(*appending(diagnosis, raised, events))


def numbering(diagnosis: Diagnosis, count: int) -> Statement:
    """The first half of `publish`, for who sends it along with other statements: its rows go to `appending`.

    Raising the head locks the row, so numbers are dense and appear in the order of the commits.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("publish() belongs inside the transaction of the change it tells of.")
    meta = diagnosis._meta
    pk = meta.pk.get_db_prep_value(diagnosis.pk, connection)
    return Statement(f"UPDATE {meta.db_table} SET head = head + %s WHERE id = %s RETURNING head", [count, pk])


def appending(diagnosis: Diagnosis, raised: Sequence[Row], events: Sequence[Event]) -> list[Statement]:
    """The second half: the numbered rows. `events` are as many as were numbered."""
    if not raised:
        raise LookupError("The diagnosis is gone.")
    diagnosis.head = head = int(raised[0][0])
    first = head - len(events) + 1
    rows = [
        DiagnosisEvent(diagnosis=diagnosis, seq=seq, type=event.type, payload=event.model_dump(mode="json"))
        for seq, event in enumerate(events, first)
    ]
    _forget_old(diagnosis.pk, first, head)
    transaction.on_commit(partial(send_hint, diagnosis.pk, head), robust=True)
    return insert(rows)


def _forget_old(diagnosis_id: UUID, first: int, head: int) -> None:
    """Prunes once per KEPT_EVENTS numbers: a constant share of the work, at most twice the rows."""
    if head // KEPT_EVENTS > (first - 1) // KEPT_EVENTS:
        DiagnosisEvent.objects.filter(diagnosis_id=diagnosis_id, seq__lte=head - KEPT_EVENTS).delete()


def forget_stream(diagnoses: Iterable[Diagnosis]) -> None:
    """What was told, and what somebody was to be told: all of it. Their heads stay."""
    pks = [diagnosis.pk for diagnosis in diagnoses]
    DiagnosisEvent.objects.filter(diagnosis__in=pks).delete()
    News.objects.filter(diagnosis__in=pks).delete()


def send_hint(diagnosis_id: UUID, head: int) -> None:
    """Tells every server process that the diagnosis has news. Never fails: a lost hint costs latency, not data."""
    message = {"type": "hint", "diagnosis": str(diagnosis_id), "head": head, "committed": time.time()}
    _outgoing.run(get_channel_layer().group_send(group_of(diagnosis_id), message))


def rights_changed(*users: User) -> None:
    """Says that these users may have lost a right: their sockets are looked at before anything more is handed out.

    Must run in the transaction that takes the right, so that no event committed later slips through.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("rights_changed() belongs inside the transaction of the change it tells of.")
    table = RightsClock._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (id, number) VALUES (1, 1) "
            f"ON CONFLICT (id) DO UPDATE SET number = {table}.number + 1 RETURNING number"
        )
        number = int(cursor.fetchone()[0])
    message = {"type": "rights", "number": number, "users": [user.pk for user in users]}
    transaction.on_commit(partial(_send_rights_hint, message), robust=True)


def _send_rights_hint(message: dict[str, Any]) -> None:
    _outgoing.run(get_channel_layer().group_send(RIGHTS_GROUP, message))


async def echo(seconds: float) -> float:
    """Milliseconds that a message takes through a group and back. Raises `TimeoutError`, or what the layer raises."""
    layer, group = get_channel_layer(), f"echo.{new_id()}"
    async with asyncio.timeout(seconds):
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        started = time.perf_counter()
        await layer.group_send(group, {"type": "echo"})
        await layer.receive(channel)
        took = (time.perf_counter() - started) * 1000
        await layer.group_discard(group, channel)
    return took


class Outgoing:
    """Runs the channel layer from synchronous code on one long-lived loop: one connection a process.

    A process that holds sockets lends its own loop (`lend`); others get a loop in a thread when first needed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lent: asyncio.AbstractEventLoop | None = None
        self._own: asyncio.AbstractEventLoop | None = None
        self._pending: set[Future[Any]] = set()

    def lend(self, loop: asyncio.AbstractEventLoop) -> None:
        self._lent = loop

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        future = asyncio.run_coroutine_threadsafe(work, self._loop())
        self._pending.add(future)
        future.add_done_callback(self._finished)

    def flush(self) -> None:
        """Waits for what is on its way, at most FLUSH_SECONDS."""
        for future in tuple(self._pending):
            try:
                future.exception(timeout=FLUSH_SECONDS)
            except TimeoutError:
                logger.warning("hints were still on their way when the process ended")
                return

    def _loop(self) -> asyncio.AbstractEventLoop:
        lent = self._lent
        if lent is not None and lent.is_running():
            return lent
        with self._lock:
            if self._own is None:
                self._own = asyncio.new_event_loop()
                threading.Thread(target=self._own.run_forever, name="hints", daemon=True).start()
        return self._own

    def _finished(self, future: Future[Any]) -> None:
        self._pending.discard(future)
        if not future.cancelled() and (error := future.exception()):
            logger.warning("a hint was lost: %s", type(error).__name__)


_outgoing = Outgoing()
lend_loop = _outgoing.lend
flush = _outgoing.flush
atexit.register(flush)
