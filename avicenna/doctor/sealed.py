from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.models import Model

from avicenna.doctor.findings import Findings, error, fine
from avicenna.encryption import DecryptionError, EncryptedTextField, Sealed

PART = "sealed fields"


def examine_sealed_fields() -> Findings:
    """Whether the keys open what is stored: the oldest and the newest row of each model."""
    opened, closed = 0, dict[str, str]()
    for model, name in _sealed_fields():
        for row in _first_and_last(model):
            value = row.__dict__.get(name)
            try:
                getattr(row, name)
                opened += 1
            except DecryptionError:
                closed[f"{model._meta.label}.{name}"] = value.key_id if isinstance(value, Sealed) else ""
    for field, key_id in closed.items():
        yield error(
            PART,
            f"{field} cannot be opened; it was sealed with the key {key_id!r}",
            "FIELD_ENCRYPTION_KEYS must hold it, under its name: a key that seals no more stays there to open.",
        )
    if not closed:
        yield fine(PART, f"the keys open what is stored ({opened} values tried)")


def _sealed_fields() -> Iterator[tuple[type[Model], str]]:
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.attname


def _first_and_last(model: type[Model]) -> Iterator[Model]:
    rows = model._base_manager.order_by("pk")
    for row in (rows.first(), rows.last()):
        if row is not None:
            yield row
