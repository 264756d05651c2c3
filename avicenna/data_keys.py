"""The keys of single people: each seals what is known of one of them, and thrown away it closes that for ever.

A key stands in the database (`diagnoses.models.PatientKey`), itself sealed with FIELD_ENCRYPTION_KEYS. Opened ones are
remembered by the process for a short while. A key never changes and its id is never used again, so what is remembered
can be out of date in one way only: the key was thrown away, at most REMEMBERED_SECONDS ago.
"""

from __future__ import annotations

import base64
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps

if TYPE_CHECKING:
    from diagnoses.models import PatientKey

KEY_BYTES = 32
REMEMBERED_SECONDS = 60
REMEMBERED_KEYS = 5_000
# Keys of values that were read but not opened yet: so many are fetched along with the next that is needed.
EXPECTED_KEYS = 500


class Erased(Exception):
    """The key was thrown away: what it sealed cannot be read any more, by nobody."""


class UnknownKey(Exception):
    """There is no such key, and there is no trace that it was thrown away."""


@dataclass(frozen=True)
class DataKey:
    id: UUID
    cipher: AESGCM


def new_secret() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


class DataKeys:
    """Those of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[UUID, tuple[float, AESGCM | None]] = OrderedDict()
        self._local = threading.local()

    def expect(self, key_id: UUID) -> None:
        """A value under this key has come out of the database: a list of fifty costs one query, not fifty."""
        if key_id not in self._known:
            expected = self._expected()
            expected[key_id] = None
            if len(expected) > EXPECTED_KEYS:
                del expected[next(iter(expected))]

    def get(self, key_id: UUID) -> DataKey:
        """Raises `Erased`, `UnknownKey`."""
        found, cipher = self._recall(key_id)
        if not found:
            self._load(key_id)
            found, cipher = self._recall(key_id)
        if not found:
            raise UnknownKey(f"There is no key {key_id}.")
        if cipher is None:
            raise Erased
        return DataKey(key_id, cipher)

    def learn(self, key: PatientKey) -> DataKey:
        """Of a row that is at hand. Raises `Erased`."""
        self._remember([key])
        return self.get(key.pk)

    def forget(self) -> None:
        with self._lock:
            self._known.clear()

    def _expected(self) -> dict[UUID, None]:
        if not hasattr(self._local, "expected"):
            self._local.expected = {}
        expected: dict[UUID, None] = self._local.expected
        return expected

    def _recall(self, key_id: UUID) -> tuple[bool, AESGCM | None]:
        with self._lock:
            until, cipher = self._known.get(key_id, (0.0, None))
            if until > time.monotonic():
                return True, cipher
            self._known.pop(key_id, None)
            return False, None

    def _load(self, key_id: UUID) -> None:
        wanted = {key_id, *self._expected()}
        self._expected().clear()
        self._remember(apps.get_model("diagnoses.PatientKey").objects.filter(pk__in=wanted))

    def _remember(self, keys: Iterable[PatientKey]) -> None:
        until = time.monotonic() + REMEMBERED_SECONDS
        opened = {key.pk: (until, _cipher(key)) for key in keys}
        with self._lock:
            self._known.update(opened)
            while len(self._known) > REMEMBERED_KEYS:
                self._known.popitem(last=False)


def _cipher(key: PatientKey) -> AESGCM | None:
    secret: str | None = key.secret
    return None if secret is None else AESGCM(base64.b64decode(secret))


data_keys = DataKeys()
