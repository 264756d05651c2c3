"""Backups hold no patient's key: what is thrown away is gone from every backup, too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management.base import CommandError

from avicenna.backup import keyring
from avicenna.backup.actions import _content, our_database
from avicenna.data_keys import data_keys
from diagnoses.actions import create_patient
from diagnoses.models import Patient, PatientKey

from .conftest import Run
from .test_cycle import Newest


@pytest.fixture
def two(transactional_db: None) -> list[Patient]:
    return [create_patient(actor=None, full_name=name) for name in ("Alice Owner", "Dora Other")]


def names() -> set[str]:
    data_keys.forget()
    return {patient.full_name for patient in Patient.objects.all()}


def throw_away(patient: Patient) -> None:
    key = PatientKey.objects.get(pk=patient.key_id)
    key.secret = None
    key.save()


def test_a_backup_holds_no_key(two: Any, run: Run, newest: Newest) -> None:
    run("backup")

    with our_database().scratch() as scratch, _content(newest(), lambda read: None) as content:
        scratch.restore(content, {}, [])
        assert scratch.keys() == {}
        assert scratch.contents()["diagnoses_patient"] == 2
    assert os.stat(newest().parent / keyring.NAME).st_mode & 0o077 == 0


def test_an_older_backup_cannot_tell_either(two: Any, run: Run, newest: Newest) -> None:
    run("backup")
    older = newest()
    throw_away(two[0])
    run("backup")

    run("restore", older, "--force")

    assert names() == {"[erased]", "Dora Other"}


def test_without_its_keyring_nothing_is_restored(two: Any, run: Run, newest: Newest, tmp_path: Path) -> None:
    run("backup")
    elsewhere = (newest().parent / keyring.NAME).rename(tmp_path / "ring")

    with pytest.raises(CommandError, match=r"Nothing was changed.* 2 patients' keys .* holds 0"):
        run("restore", newest(), "--force")
    with pytest.raises(CommandError, match="could not be examined"):
        run("verify_backup")

    run("restore", newest(), "--force", "--keyring", elsewhere)
    assert names() == {"Alice Owner", "Dora Other"}


def test_with_a_wrong_keyring_nobody_is_erased(two: Any, run: Run, newest: Newest, tmp_path: Path) -> None:
    run("backup")
    other = tmp_path / "other"
    other.mkdir()
    keyring.write(other, {str(n): keyring.StoredKey(uuid4().hex, "00", "2026-01-01 00:00:00Z") for n in range(2)})

    said = run("restore", newest(), "--force", "--keyring", other / keyring.NAME)

    assert "wrong one: it has no key of 2 patients" in said
    assert not Patient.objects.exclude(erased_at=None).exists()
    run("restore", newest(), "--force")
    assert names() == {"Alice Owner", "Dora Other"}


def test_the_backup_of_another_database_takes_no_key_away(two: Any, run: Run, newest: Newest) -> None:
    run("backup")
    first = newest()
    Patient.objects.all().delete()
    PatientKey.objects.all().delete()
    run("backup")

    run("restore", first, "--force")

    assert names() == {"Alice Owner", "Dora Other"}
