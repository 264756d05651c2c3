"""Model fields sealed with AES-256-GCM.

What is known of a patient is sealed with the patient's own key (`avicenna.data_keys`), anything else, those keys
among it, with the first of FIELD_ENCRYPTION_KEYS. A sealed value is one of

    1 · length of key id (1) · key id · nonce (12) · ciphertext and tag     with one of FIELD_ENCRYPTION_KEYS
    2 · id of the patient's key (16) · nonce (12) · ciphertext and tag      with that key

The identity of the row (model, field, primary key) is the associated data, so a value that was moved to
another row, column or table is refused. Values are opened when the attribute is read, never before.

A model says by `encryption_key` on which way its rows lead to the patient's key, as `select_related` takes it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from functools import cache
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext

from avicenna.data_keys import DataKey, Erased, UnknownKey, data_keys

MASTER = b"\x01"
PERSONAL = b"\x02"
NONCE_BYTES = 12
UUID_BYTES = 16


class DecryptionError(Exception):
    """A sealed value could not be opened: unknown key, damaged, or not from this row."""


class Sealed(bytes):
    """Ciphertext as it stands in the database."""

    def __repr__(self) -> str:
        return f"<sealed, {len(self)} bytes>"

    @property
    def is_personal(self) -> bool:
        """With the key of a patient."""
        return self[:1] == PERSONAL and len(self) >= 1 + UUID_BYTES + NONCE_BYTES

    @property
    def data_key_id(self) -> UUID:
        return UUID(bytes=bytes(self[1 : 1 + UUID_BYTES]))

    @property
    def key_id(self) -> str:
        """Of the one among FIELD_ENCRYPTION_KEYS."""
        return self[2 : 2 + self[1]].decode("ascii", "replace") if len(self) > 2 else ""


@cache
def parse_keys(entries: tuple[str, ...], setting: str) -> dict[str, bytes]:
    """Key id → key of 32 bytes, in the order given. Raises `ImproperlyConfigured`, which names the `setting`."""
    keys: dict[str, bytes] = {}
    for entry in entries:
        key_id, _, encoded = entry.strip().partition(":")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured(f"{setting}: key {key_id!r} is not base64.") from error
        if not (key_id.isascii() and 1 <= len(key_id) <= 32) or len(raw) != 32 or key_id in keys:
            raise ImproperlyConfigured(
                f"{setting} must be a list of id:base64, each key 32 bytes long, each id used once."
            )
        keys[key_id] = raw
    return keys


@cache
def _ready_keys(entries: tuple[str, ...]) -> dict[str, AESGCM]:
    return {key_id: AESGCM(raw) for key_id, raw in parse_keys(entries, "FIELD_ENCRYPTION_KEYS").items()}


def encryption_keys() -> dict[str, AESGCM]:
    """Key id → key, the one that seals first."""
    return _ready_keys(tuple(settings.FIELD_ENCRYPTION_KEYS))


def master_prefix() -> bytes:
    """What a value begins with that is sealed with the key that seals now."""
    key_id = next(iter(encryption_keys()))
    return MASTER + bytes([len(key_id)]) + key_id.encode()


def seal(plaintext: str, identity: str, key: DataKey | None = None) -> Sealed:
    """With the patient's `key`, or the first of FIELD_ENCRYPTION_KEYS."""
    prefix = PERSONAL + key.id.bytes if key else master_prefix()
    cipher = key.cipher if key else next(iter(encryption_keys().values()))
    nonce = os.urandom(NONCE_BYTES)
    return Sealed(prefix + nonce + cipher.encrypt(nonce, plaintext.encode(), identity.encode()))


def unseal(value: Sealed, identity: str) -> str:
    """Raises `DecryptionError` and `Erased`; never returns something that was not sealed for `identity`."""
    start, cipher = _opening(value, identity)
    try:
        opened = cipher.decrypt(value[start : start + NONCE_BYTES], value[start + NONCE_BYTES :], identity.encode())
    except InvalidTag as error:
        raise DecryptionError(f"The value of {identity} is damaged or belongs to another row.") from error
    return opened.decode()


def _opening(value: Sealed, identity: str) -> tuple[int, AESGCM]:
    """Where the nonce stands, and what opens the rest."""
    if value.is_personal:
        try:
            return 1 + UUID_BYTES, data_keys.get(value.data_key_id).cipher
        except UnknownKey as error:
            raise DecryptionError(f"The patient's key that sealed {identity} is missing.") from error
    if value[:1] != MASTER or len(value) < 2 or len(value) < 2 + value[1] + NONCE_BYTES:
        raise DecryptionError(f"The value of {identity} is damaged.")
    key = encryption_keys().get(value.key_id)
    if key is None:
        raise DecryptionError(f"The key {value.key_id!r} that sealed {identity} is not among FIELD_ENCRYPTION_KEYS.")
    return 2 + value[1], key


def _identity(instance: models.Model, field: models.Field[Any, Any]) -> str:
    """What a value is bound to. A model whose primary key is not known before the insert names its own identity."""
    own = getattr(instance, "encryption_identity", instance.pk)
    if own is None:
        raise ValueError(f"{type(instance).__name__} needs its primary key before {field.name} can be sealed.")
    return f"{instance._meta.label_lower}.{field.name}:{own}"


def key_of(instance: models.Model) -> DataKey | None:
    """The key that seals what the row says of a patient; None for what is of no patient, and until one has a key.

    Raises `Erased`.
    """
    *way, last = getattr(instance, "encryption_key", "").split("__")
    if not last:
        return None
    owner: Any = instance
    for name in way:
        owner = getattr(owner, name)
    key_id: UUID | None = getattr(owner, f"{last}_id")
    if key_id is None:
        return None
    if loaded := owner._state.fields_cache.get(last):
        return data_keys.learn(loaded)
    return data_keys.get(key_id)


class SealedAttribute(DeferredAttribute):
    """Keeps what came from the database sealed until somebody reads it."""

    field: EncryptedTextField

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            super().__get__(instance, cls)  # loads a deferred field, still sealed
        value = instance.__dict__[name]
        if not isinstance(value, Sealed):
            return value
        try:
            text = unseal(value, _identity(instance, self.field))
        except Erased:
            return self.field.erased()  # the sealed value stays where it is, also when the row is saved
        instance.__dict__[name] = opened = self.field.loads(text)
        return opened

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.Field):  # type: ignore[type-arg]
    """Text, sealed. Written by `save()` and `bulk_create()`; `update()`, `bulk_update()` and filters are refused."""

    descriptor_class = SealedAttribute

    def get_internal_type(self) -> str:
        return "BinaryField"

    def dumps(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{self.name} takes text, not {type(value).__name__}.")
        return value

    def loads(self, text: str) -> Any:
        return text

    def erased(self) -> Any:
        """What is read when the key was thrown away."""
        return gettext("[erased]")

    def from_db_value(self, value: bytes | None, *_: Any) -> Sealed | None:
        if value is None:
            return None
        sealed = Sealed(value)
        if sealed.is_personal:
            data_keys.expect(sealed.data_key_id)
        return sealed

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        raw = model_instance.__dict__.get(self.attname)
        if raw is None or isinstance(raw, Sealed):
            return raw
        return self.seal(model_instance, raw)

    def seal(self, instance: models.Model, value: Any) -> Sealed:
        """Raises `Erased`."""
        return seal(self.dumps(value), _identity(instance, self), key_of(instance))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is encrypted: write it through save() or bulk_create(), one row at a time.")
        return None if value is None else connection.Database.Binary(value)  # type: ignore[attr-defined]  # the driver

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        """Serialized sealed: a fixture must not carry clear text."""
        sealed = self.pre_save(obj, add=False)
        return "" if sealed is None else base64.b64encode(sealed).decode()


class EncryptedJSONField(EncryptedTextField):
    """A JSON value, sealed."""

    def dumps(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def loads(self, text: str) -> Any:
        return json.loads(text)

    def erased(self) -> Any:
        return self.get_default() if self.has_default() else {}
