from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from avicenna.encryption import DecryptionError, Sealed, seal, unseal
from diagnoses.actions import create_patient
from diagnoses.models import Diagnosis, Patient

OLD = "old:" + "b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLW9sZCE="
NEW = "new:" + "bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE="


@given(text=st.text(), identity=st.text(min_size=1))
def test_what_was_sealed_is_opened(text: str, identity: str) -> None:
    assert unseal(seal(text, identity), identity) == text


def test_the_same_text_is_never_sealed_alike() -> None:
    assert seal("text", "row") != seal("text", "row")


def test_a_value_moved_to_another_row_is_refused(db: None) -> None:
    one = create_patient(actor=None, full_name="One")
    two = create_patient(actor=None, full_name="Two")
    stolen = Patient.objects.values_list("full_name", flat=True).get(pk=one.pk)
    Patient.objects.filter(pk=two.pk).update(full_name=stolen)

    with pytest.raises(DecryptionError, match="another row"):
        _ = Patient.objects.get(pk=two.pk).full_name


def test_a_value_moved_to_another_column_is_refused(patient: Patient) -> None:
    stolen = Patient.objects.values_list("full_name", flat=True).get()
    Patient.objects.update(medical_history=stolen)

    with pytest.raises(DecryptionError):
        _ = Patient.objects.get().medical_history


def test_nothing_is_opened_before_it_is_read(patient: Patient) -> None:
    found = Patient.objects.get()

    assert isinstance(found.__dict__["full_name"], Sealed)
    assert found.full_name == "Alice Owner"
    assert repr(Patient.objects.values_list("full_name", flat=True).get()).startswith("<sealed")


def test_an_unread_value_is_saved_as_it_was(patient: Patient) -> None:
    before = Patient.objects.values_list("full_name", flat=True).get()
    Patient.objects.get().save()

    assert Patient.objects.values_list("full_name", flat=True).get() == before


def test_a_deferred_value_is_loaded_and_opened(patient: Patient) -> None:
    assert Patient.objects.only("sex").get().full_name == "Alice Owner"


def test_updates_past_save_are_refused(patient: Patient) -> None:
    with pytest.raises(TypeError, match="encrypted"), transaction.atomic():
        Patient.objects.update(full_name="clear text")
    patient.full_name = "clear text"
    with pytest.raises(TypeError, match="encrypted"), transaction.atomic():
        Patient.objects.bulk_update([patient], ["full_name"])

    assert Patient.objects.get().full_name == "Alice Owner"


@pytest.mark.parametrize("lookup", ["full_name", "full_name__contains", "full_name__in", "full_name__gt"])
def test_filters_on_sealed_text_are_refused(patient: Patient, lookup: str) -> None:
    with pytest.raises((FieldError, TypeError)):
        list(Patient.objects.filter(**{lookup: "Alice"}))


def test_json_comes_back_as_it_went(diagnosis: Diagnosis) -> None:
    diagnosis.symptoms = ["سردرد", {"side": "left"}]
    diagnosis.save(update_fields=["symptoms"])

    assert Diagnosis.objects.get().symptoms == ["سردرد", {"side": "left"}]


def test_old_keys_open_and_the_first_key_seals(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    sealed = seal("text", "row")

    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert unseal(sealed, "row") == "text"
    assert seal("text", "row").key_id == "new"


def test_a_missing_key_is_named(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    sealed = seal("text", "row")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(DecryptionError, match="'old'"):
        unseal(sealed, "row")
