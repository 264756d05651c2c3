"""What runs beside the database, and the machine itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from avicenna.backup.folder import name_of
from avicenna.identifiers import new_id
from avicenna.jobs import JOBS
from avicenna.models import SignOfLife
from realtime.models import StreamProcess
from tests.avicenna.doctor.certificate import write_certificate
from tests.avicenna.doctor.conftest import Doctor


def test_redis_that_is_gone(doctor: Doctor, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    backend = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [settings.REDIS_URL]}}
    settings.CHANNEL_LAYERS = {"default": backend}

    assert "it does not answer (ConnectionError)" in doctor("redis")
    assert "a message does not come back" in next(iter(doctor("channel layer")))


def test_redis_and_the_channel_layer_under_test_answer(doctor: Doctor) -> None:
    assert doctor("redis") == doctor("channel layer") == {}


def test_a_worker_that_never_was_then_is_then_falls_silent(doctor: Doctor) -> None:
    assert "never been at work" in next(iter(doctor("worker")))
    next(job.do for job in JOBS if job.name == "life")()
    assert doctor("worker") == {}
    SignOfLife.objects.update(seen_at=timezone.now() - timedelta(hours=3))
    assert "silent for 3 hours" in next(iter(doctor("worker")))


def test_a_server_process_that_is_deaf(doctor: Doctor) -> None:
    now = timezone.now()
    StreamProcess.objects.create(
        id=new_id(), name="host:1", started_at=now, seen_at=now, connections=1, diagnoses=1, users=1, hears_hints=False
    )

    assert "host:1 hears no hints" in doctor("stream")


def test_a_disk_that_is_full(doctor: Doctor) -> None:
    assert doctor("disk", "--disk-free", 0) == {}
    assert all("stops every write" in do for do in doctor("disk", "--disk-free", 100).values())
    assert doctor("disk", "--disk-free", 100)


def test_backups_that_are_missing_old_or_cut(doctor: Doctor, settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_KEY, settings.BACKUP_FOLDER = ["b:" + "Q" * 43 + "="], str(tmp_path)
    assert "there is none" in next(iter(doctor("backup")))

    old = tmp_path / name_of(timezone.now() - timedelta(days=3))
    old.write_bytes(b"cut")
    assert list(doctor("backup")) == [f"{old.name} is not as it was written", "the newest of 1 is 3 days old"]


@pytest.mark.parametrize(
    ("days", "said"), [(-2.0, "it ended 2 days ago"), (3.01, "it holds for 3 days more"), (60.0, "")]
)
def test_a_certificate_that_ends(doctor: Doctor, settings: Any, tmp_path: Path, days: float, said: str) -> None:
    settings.TLS_CERTIFICATE_PATH = str(write_certificate(tmp_path / "c.pem", days=days))

    assert list(doctor("certificate")) == ([said] if said else [])


def test_a_certificate_that_is_not_there(doctor: Doctor, settings: Any, tmp_path: Path) -> None:
    settings.TLS_CERTIFICATE_PATH = str(tmp_path / "none.pem")

    assert "cannot be read" in next(iter(doctor("certificate")))
