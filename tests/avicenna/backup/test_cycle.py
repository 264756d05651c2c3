"""`backup`, `verify_backup` and `restore` on the database under test, as an operator calls them."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import connection

from accounts.models import Session, User
from avicenna.backup.actions import our_database
from avicenna.backup.folder import name_of
from avicenna.backup.format import Opener, Sealer
from avicenna.backup.keys import backup_keys
from avicenna.backup.manifest import packed, unpack
from avicenna.jobs import JOBS
from diagnoses.actions import change_diagnosis
from diagnoses.models import Diagnosis, Patient
from feedback.actions import submit
from feedback.models import Feedback
from realtime.models import DiagnosisEvent
from realtime.restored import LEAP

from .conftest import Run, new_key

Newest = Callable[[], Path]


@pytest.fixture
def clinic(transactional_db: None, alice: Any, recommendation: Any) -> Any:
    """One report with a comment."""
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4, comment="a secret")
    return recommendation


def destroy() -> None:
    with connection.cursor() as cursor:
        for model in (DiagnosisEvent, Feedback):
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET {'payload' if model is DiagnosisEvent else 'comment'} = %s", [b""]
            )
        cursor.execute("UPDATE accounts_user SET name = 'destroyed'")


def test_everything_comes_back(clinic: Any, run: Run, newest: Newest) -> None:
    before = our_database().fingerprint()
    run("backup")
    destroy()
    assert our_database().fingerprint() != before

    said = run("restore", newest(), "--force")

    after = our_database().fingerprint()
    assert {name for name in before if before[name] != after[name]} == {"diagnoses_diagnosis"}  # its heads leapt
    assert Feedback.objects.get().comment == "a secret"
    assert Patient.objects.get().full_name == "Alice Owner"
    assert DiagnosisEvent.objects.latest("seq").payload["sample_size"] == 1
    assert Diagnosis.objects.get().head == LEAP + 4
    assert "manage.py rebuild_analytics --check" in said
    assert "No difference" in run("rebuild_analytics", "--check")
    assert change_diagnosis(actor=None, diagnosis=clinic.diagnosis, changes={"severity": 5}).head == LEAP + 5


def test_a_backup_is_proved_in_a_scratch_database(clinic: Any, run: Run, newest: Newest) -> None:
    run("backup")
    before = our_database().fingerprint()

    assert f"{newest()} is good" in run("verify_backup")
    assert our_database().fingerprint() == before
    assert not list(newest().parent.glob(".*"))


def test_what_is_written_while_a_backup_is_made_is_whole_in_it_or_not(
    clinic: Any, alice: Any, run: Run, newest: Newest
) -> None:
    stop, written = threading.Event(), []

    def report() -> None:
        while not stop.is_set():
            submit(actor=alice, recommendation_id=clinic.pk, rating=5, symptom_improvement=5)
            written.append(datetime.now(UTC))
        connection.close()

    thread = threading.Thread(target=report)
    thread.start()
    try:
        run("backup")
    finally:
        stop.set()
        thread.join()
    begun_at = datetime.fromisoformat(json.loads(newest().with_suffix(".json").read_text())["created_at"])
    run("restore", newest(), "--force")

    assert Feedback.objects.count() >= 1 + sum(at < begun_at for at in written)
    assert "No difference" in run("rebuild_analytics", "--check")


def test_a_database_that_holds_something_is_not_overwritten(clinic: Any, run: Run, newest: Newest) -> None:
    run("backup")
    destroy()

    with pytest.raises(CommandError, match=r"not empty.* 1 in diagnoses_patient.*--force"):
        run("restore", newest())
    assert User.objects.filter(name="destroyed").exists()


@pytest.mark.parametrize(
    "place", [5000, *(pytest.param(place, marks=pytest.mark.thorough) for place in (3, 30, 70, -5))]
)
def test_a_damaged_backup_changes_nothing(clinic: Any, run: Run, newest: Newest, place: int) -> None:
    run("backup")
    content = bytearray(newest().read_bytes())
    content[place] ^= 1
    newest().write_bytes(content)
    before = our_database().fingerprint()

    with pytest.raises(CommandError, match=r"Nothing was changed\..*damaged|not in BACKUP_KEY"):
        run("restore", newest(), "--force")
    with pytest.raises(CommandError, match=r"is not good|could not be examined"):
        run("verify_backup", newest())
    assert our_database().fingerprint() == before


def reseal(file: Path, table: str, **changes: Any) -> None:
    """As if the database had not given what it said."""
    with file.open("rb") as opened:
        manifest, content = unpack(Opener(opened, backup_keys()).chunks())
        manifest.tables[table] = manifest.tables[table].model_copy(update=changes)
        written = BytesIO()
        sealer = Sealer(written, *next(iter(backup_keys().items())))
        for piece in (packed(manifest), *content):
            sealer.write(piece)
        sealer.finish()
    file.write_bytes(written.getvalue())


@pytest.mark.parametrize(
    ("changes", "found"),
    [({"rows": 7}, "1 rows instead of 7"), ({"content": "0" * 32}, "1 rows, but not the same content")],
)
def test_a_table_that_differs_is_named_and_not_restored(
    clinic: Any, run: Run, newest: Newest, capsys: Any, changes: Any, found: str
) -> None:
    run("backup")
    reseal(newest(), "feedback_feedback", **changes)
    before = our_database().fingerprint()

    with pytest.raises(CommandError, match="1 tables differ") as verified:
        run("verify_backup", newest())
    with pytest.raises(CommandError, match=r"Nothing was changed.*feedback_feedback"):
        run("restore", newest(), "--force")
    assert verified.value.returncode == 1
    assert our_database().fingerprint() == before


def test_without_its_key_a_backup_stays_closed(clinic: Any, run: Run, newest: Newest, backup_settings: Any) -> None:
    run("backup")
    backup_settings.BACKUP_KEY = [new_key("newer")]

    with pytest.raises(CommandError, match="'test', which is not in BACKUP_KEY") as refused:
        run("verify_backup", newest())
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("restore", newest(), "--force")


def test_an_older_key_still_opens_what_it_sealed(clinic: Any, run: Run, newest: Newest, backup_settings: Any) -> None:
    run("backup")
    backup_settings.BACKUP_KEY = [new_key("newer"), *backup_settings.BACKUP_KEY]

    assert "is good" in run("verify_backup", newest())


def test_without_a_key_none_is_made(clinic: Any, run: Run, folder: Path, backup_settings: Any) -> None:
    backup_settings.BACKUP_KEY = []

    with pytest.raises(CommandError, match=r"No backup was made\. BACKUP_KEY is not set"):
        run("backup")
    assert not folder.exists()


def test_nobody_else_can_read_it_and_what_stands_beside_it_names_nobody(clinic: Any, run: Run, newest: Newest) -> None:
    run("backup")
    beside = newest().with_suffix(".json").read_text()

    assert os.stat(newest()).st_mode & 0o077 == 0
    assert set(json.loads(beside)) == {
        "file", "bytes", "sha256", "created_at", "version", "database", "key_id", "tables", "rows",
    }  # fmt: skip
    assert "alice" not in beside
    assert b"alice" not in newest().read_bytes()


def test_thirty_days_are_kept_and_the_last_of_each_month(clinic: Any, run: Run, folder: Path) -> None:
    today = datetime.now(UTC).replace(hour=1)
    long_ago = [datetime(2024, 1, day, 1, tzinfo=UTC) for day in (5, 30, 31)] + [datetime(2024, 2, 3, tzinfo=UTC)]
    lately = [today - timedelta(days=days) for days in (29, 3)]
    folder.mkdir()
    for at in (*long_ago, *lately):
        (folder / name_of(at)).touch()
        (folder / name_of(at)).with_suffix(".json").touch()
    (folder / "notes.backup").touch()

    assert "2 old removed" in run("backup")

    kept = {path.name for path in folder.glob("*.backup")}
    assert {name_of(at) for at in long_ago} & kept == {name_of(at) for at in long_ago[2:]}
    assert {name_of(at) for at in lately} <= kept
    assert "notes.backup" in kept
    assert len(list(folder.glob("*.json"))) == 5


def test_everybody_may_be_made_to_sign_in_again(clinic: Any, bob: Any, run: Run, newest: Newest) -> None:
    Session.objects.create(user=bob)
    run("backup")

    run("restore", newest(), "--force", "--end-sessions")

    assert not Session.objects.filter(ended_at=None).exists()


def test_what_a_killed_backup_left_goes_with_the_next(clinic: Any, run: Run, folder: Path) -> None:
    folder.mkdir()
    (folder / ".partial-backup").touch()

    run("backup")

    assert not list(folder.glob(".*"))


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no servers")
def test_another_server_proves_it(clinic: Any, run: Run, newest: Newest) -> None:
    run("backup")

    assert "is good" in run("verify_backup", "--server", os.environ["DATABASE_URL"])
    with pytest.raises(CommandError, match="PostgreSQL does not answer"):
        run("verify_backup", "--server", "postgresql://nobody@127.0.0.1:1/none")


def test_prometheus_hears_how_old_it_is(clinic: Any, run: Run, newest: Newest, api: Any, settings: Any) -> None:
    settings.METRICS_TOKEN = "m" * 32
    measure = next(job.do for job in JOBS if job.name == "backups")

    def told() -> float:
        measure()
        metrics = api(authorization=f"Bearer {'m' * 32}").get("/metrics").content.decode()
        return float(re.findall(r"^backup_last_success_timestamp_seconds (\S+)", metrics, re.M)[0])

    assert told() == 0
    run("backup")
    assert abs(told() - newest().stat().st_mtime) < 60


def test_after_another_kind_of_recovery_the_streams_leap_too(clinic: Any, run: Run) -> None:
    run("restore", "--recovered")

    assert Diagnosis.objects.get().head == LEAP + 4
