from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import F
from django.db.utils import DatabaseError
from django.utils import timezone

from audit import sealing
from audit.models import AuditRecord
from audit.sealing import COVERED, head, seal_what_is_due
from audit.trail import entry, keep
from avicenna.sql import run

LENGTH = 6

# Another value for each column that a hash covers.
OTHERS: dict[str, Any] = {
    "id": uuid4(), "at": timezone.now() - timedelta(days=9), "actor_id": 4711, "actor_role": "head",
    "actor_name": "Somebody else", "session": "x", "network": "198.51.100.0/24", "request_id": "y",
    "action": "listed", "kind": "feedback", "object_id": "z", "patient": uuid4(), "purpose": "own", "reason": "because",
    "changes": {"severity": [1, 2]},
}  # fmt: skip


def tell(count: int, user: Any = None) -> None:
    keep([entry(user, "read", "diagnosis", patient=uuid4(), object_id=n) for n in range(count)])


@pytest.fixture
def trail(unguarded: None, bob: Any) -> Any:
    """LENGTH sealed records."""
    tell(LENGTH, bob)
    seal_what_is_due()
    return AuditRecord.objects.order_by("number")


def verify(*heads: str) -> tuple[list[str], str]:
    """Findings, and the closing line."""
    out, options = StringIO(), [f"--head={given}" for given in heads]
    try:
        call_command("verify_audit", *options, stdout=out)
        wrong = 0
    except CommandError as error:
        wrong = int(str(error).split()[0])
    *findings, closing = out.getvalue().splitlines()
    assert len(findings) == wrong
    return findings, closing


def test_a_trail_that_nobody_touched_is_whole(trail: Any) -> None:
    findings, closing = verify()

    assert findings == []
    assert closing == f"{LENGTH} records, head {LENGTH}:{head().hash}"
    assert list(trail.values_list("number", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_every_column_is_tried() -> None:
    columns = {field.attname for field in AuditRecord._meta.concrete_fields}

    assert set(OTHERS) == set(COVERED) == columns - {"number", "previous_hash", "hash"}


@pytest.mark.parametrize("column", COVERED)
def test_a_change_of_any_column_is_found(trail: Any, column: str) -> None:
    trail.filter(number=3).update(**{column: OTHERS[column]})

    assert verify()[0] == ["3: was changed after it was sealed"]


@pytest.mark.parametrize("column", ["hash", "previous_hash"])
def test_a_change_of_the_seal_is_found(trail: Any, column: str) -> None:
    trail.filter(number=3).update(**{column: "f" * 64})

    assert "3: was changed after it was sealed" in verify()[0]


def test_a_record_rewritten_with_its_hash_no_longer_leads_to_the_next(trail: Any) -> None:
    third = trail.get(number=3)
    third.actor_id = 4711
    third.hash = sealing.digest(third, sealing.Head(2, third.previous_hash))
    third.save()

    assert verify()[0] == ["4: does not follow the one before"]


def test_a_chain_rewritten_to_its_end_is_not_the_one_whose_head_was_kept(trail: Any, bob: Any) -> None:
    kept = f"{LENGTH}:{head().hash}"
    trail.filter(number__gte=3).delete()
    tell(LENGTH - 2, bob)
    seal_what_is_due()

    assert verify()[0] == []
    assert verify(kept)[0] == ["6: is not the record that was sealed under this number"]


def test_what_was_taken_from_the_middle_is_missing(trail: Any) -> None:
    trail.filter(number__in=[3, 4]).delete()

    assert verify()[0] == ["3 to 4: missing"]


def test_what_was_unsealed_is_missing(trail: Any) -> None:
    trail.filter(number=3).update(number=None, hash="", previous_hash="")

    assert verify()[0] == ["3 to 3: missing"]


def test_a_cut_off_end_is_found_with_the_head_that_was_kept(trail: Any) -> None:
    kept = f"{LENGTH}:{head().hash}"
    trail.filter(number__gt=4).delete()

    assert verify()[0] == []
    assert verify(kept)[0] == ["the trail ends at 4, but 6 was sealed: its end is missing"]


def test_records_that_changed_places_are_found(trail: Any) -> None:
    trail.filter(number=2).update(number=99)
    trail.filter(number=3).update(number=2)
    trail.filter(number=99).update(number=3)

    assert {line.split(":")[0] for line in verify()[0]} >= {"2", "3"}


def test_a_beginning_that_was_put_away_is_known_by_its_head(trail: Any) -> None:
    second = trail.get(number=2)
    trail.filter(number__lte=2).delete()

    [finding] = verify()[0]
    assert "begins at 3" in finding
    assert verify(f"2:{second.hash}")[0] == []


def test_what_waits_long_for_its_seal_is_a_finding(trail: Any) -> None:
    tell(2)
    assert verify()[0] == []

    AuditRecord.objects.unsealed().update(at=F("at") - timedelta(minutes=2))

    assert verify()[0] == ["2 older than a minute and not sealed: does a worker run?"]


def test_each_seal_leaves_its_head_in_the_log(db: None, caplog: Any, django_capture_on_commit_callbacks: Any) -> None:
    caplog.set_level("INFO")
    tell(3)
    with django_capture_on_commit_callbacks(execute=True):
        seal_what_is_due()

    [line] = [line for line in caplog.records if line.message == "sealed"]
    assert line.head == f"3:{head().hash}"
    assert verify(line.head)[0] == []


@pytest.mark.django_db(transaction=True)
def test_two_sealers_make_one_chain(monkeypatch: Any) -> None:
    monkeypatch.setattr(sealing, "AT_ONCE", 7)
    tell(40)
    together = Barrier(3)

    in_threads(3, lambda: (together.wait(), seal_what_is_due()))

    assert verify()[0] == []
    assert AuditRecord.objects.sealed().filter(kind="diagnosis").count() == 40


@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_dies_half_way_leaves_no_half_a_seal(monkeypatch: Any) -> None:
    tell(5)

    def dies(*statements: Any) -> None:
        run(*statements[:2])
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(sealing, "run", dies)
        seal_what_is_due()
    assert not AuditRecord.objects.sealed().exists()

    seal_what_is_due()
    assert verify()[0] == [] and AuditRecord.objects.sealed().filter(kind="diagnosis").count() == 5


@pytest.mark.django_db(transaction=True)
def test_sealers_that_are_killed_at_their_work_leave_one_chain(monkeypatch: Any) -> None:
    monkeypatch.setattr(sealing, "AT_ONCE", 20)
    tell(1_000)

    for _ in range(3):
        kill_when_it_has_sealed_some()
    seal_what_is_due()

    assert verify()[0] == []
    assert AuditRecord.objects.sealed().filter(kind="diagnosis").count() == 1_000


def kill_when_it_has_sealed_some() -> None:
    """Another process, with a connection of its own."""
    before = AuditRecord.objects.sealed().count()
    connection.close()
    if (sealer := os.fork()) == 0:
        try:
            seal_what_is_due()
        finally:
            os._exit(0)
    while AuditRecord.objects.sealed().count() == before and AuditRecord.objects.unsealed().exists():
        time.sleep(0.005)
    os.kill(sealer, signal.SIGKILL)
    os.waitpid(sealer, 0)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no guard but the chain")
@pytest.mark.parametrize("statement", [
    "UPDATE audit_auditrecord SET reason = 'x'",
    "UPDATE audit_auditrecord SET reason = 'x' WHERE number IS NULL",
    "UPDATE audit_auditrecord SET number = 9, hash = 'h', previous_hash = 'p', reason = 'x' WHERE number IS NULL",
    "UPDATE audit_auditrecord SET number = NULL, hash = '', previous_hash = '' WHERE number = 1",
    "UPDATE audit_auditrecord SET hash = 'h' WHERE number = 1",
    "DELETE FROM audit_auditrecord",
    "DELETE FROM audit_auditrecord WHERE number IS NULL",
    "TRUNCATE audit_auditrecord",
])  # fmt: skip
def test_postgresql_refuses_whatever_does_not_add(db: None, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditrecord ENABLE TRIGGER audit_is_not_emptied")
        tell(1), seal_what_is_due(), tell(1)
        with pytest.raises(DatabaseError, match="the audit trail only grows"), transaction.atomic():
            cursor.execute(statement)


def in_threads(count: int, work: Callable[[], object]) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_changes_are_hashed_as_they_come_back(trail: Any) -> None:
    changes = {"z": ["ي", "ک\u200c"], "a": [None, True], "n": [1, 10**15]}
    keep([entry(None, "changed", "patient", patient=uuid4(), changes=changes)])
    seal_what_is_due()

    assert verify()[0] == []
    assert json.dumps(trail.last().changes, sort_keys=True) == json.dumps(changes, sort_keys=True)
