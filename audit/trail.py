"""The one way into the audit trail.

Actions call `created` and `changed` in the transaction of the change: both are committed or neither. Views call `read`
and `listed`; what they noted is written when the request has been answered well (`keep_seen`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import Error, connection
from django.db.models import Model
from redis.exceptions import RedisError

from accounts.models import Role, User
from audit.models import Action, AuditRecord, Kind, Purpose
from audit.origin import NOWHERE, Origin, Seen, current
from audit.subjects import kind_of, patient_of
from avicenna.encryption import EncryptedTextField
from avicenna.metrics import audit_records_lost
from avicenna.sql import Statement, insert, run

logger = logging.getLogger("avicenna.audit")

Changes = Mapping[str, tuple[object, object]]

# The same person reading the same in the same session is told once in so long.
REPEATED_SECONDS = 15 * 60

# Why somebody is refused who has to wait.
LOCKED = "locked"

# Of these only that they changed: the trail outlives an erasure, and they say who somebody is.
WITHOUT_VALUES = frozenset({"birth_date", "instructions"})

PURPOSES = {
    Role.PATIENT: Purpose.OWN,
    Role.PRACTITIONER: Purpose.TREATMENT,
    Role.RECEPTION: Purpose.ADMINISTRATION,
    Role.HEAD: Purpose.ADMINISTRATION,
    Role.OPERATOR: Purpose.OPERATION,
}


def entry(
    actor: User | None,
    action: Action,
    kind: Kind,
    *,
    patient: UUID | None,
    object_id: object = "",
    changes: Mapping[str, Any] | None = None,
    reason: str = "",
    origin: Origin | None = None,
) -> AuditRecord:
    """Not written yet. `origin` is the request that is being answered unless said otherwise."""
    origin = origin or current.get() or NOWHERE
    return AuditRecord(
        actor_id=actor.pk if actor else None,
        actor_role=actor.role if actor else "",
        # A patient's own name has no place here: it would stay when the patient is erased.
        actor_name=str(actor) if actor and actor.role != Role.PATIENT else "",
        session=origin.session(),
        network=origin.network,
        request_id=origin.request_id,
        action=action,
        kind=kind,
        object_id=str(object_id),
        patient=patient,
        purpose=PURPOSES[Role(actor.role)] if actor else Purpose.OPERATION,
        reason=reason,
        changes=changes or {},
    )


def creating(actor: User | None, *rows: Model, patient: UUID | None = None) -> list[Statement]:
    """`created`, for who sends it along with other statements."""
    return insert([_about(actor, Action.CREATED, row, patient) for row in rows])


def created(actor: User | None, row: Model, *, patient: UUID | None = None) -> None:
    """What a new row says stands in the row: its first change will tell it as the old. `patient` spares a query."""
    _write(creating(actor, row, patient=patient))


def changed(
    actor: User | None,
    row: Model,
    changes: Changes,
    *,
    patient: UUID | None = None,
    reason: str = "",
    has_sealed_reason: bool = False,
) -> None:
    """`changes`: field → old and new. Of sealed fields and WITHOUT_VALUES only that they changed is told, and of a
    reason that was written for the patient's record, where it is sealed, only that there is one.
    """
    told = {name: _told(row, name, values) for name, values in changes.items()}
    if has_sealed_reason:
        told["reason"] = None
    _write(insert([_about(actor, Action.CHANGED, row, patient, told, reason)]))


def read(*rows: Model, kind: Kind | None = None, action: Action = Action.READ) -> None:
    """The answer shows these rows, or `kind` (predictions, statistics) of them."""
    _note(Seen(rows, action, kind, as_list=False))


def listed(rows: Sequence[Model], *, kind: Kind | None = None, action: Action = Action.LISTED) -> None:
    """The answer is a list of these rows: told once for each patient in it."""
    _note(Seen(rows, action, kind, as_list=True))


def keep_seen(origin: Origin, actor: User | None) -> None:
    """Writes what an answer shows. See `keep`."""
    records: dict[tuple[object, ...], AuditRecord] = {}
    for seen in origin.seen:
        for row in seen.rows:
            kind, patient = seen.kind or kind_of(row), patient_of(row)
            name = (seen.action, kind, patient, "" if seen.as_list else row.pk)
            if name not in records:
                object_id = name[-1]
                records[name] = entry(actor, seen.action, kind, patient=patient, object_id=object_id, origin=origin)
    keep(list(records.values()))


def keep(records: Sequence[AuditRecord], *, also_repeated: bool = False) -> None:
    """Writes that something was seen, once in REPEATED_SECONDS unless each time is to be told.

    Nobody goes without a record in an emergency because the trail could not be written: then the line in the log
    stands for it, and `audit_records_lost_total` calls for somebody.
    """
    new = list(records) if also_repeated else _not_told_lately(records)
    try:
        run(*insert(new))
    except Error:
        audit_records_lost.inc(len(new))
        for record in new:
            logger.exception("an audit record could not be written", extra=_ids(record))
        return
    if not also_repeated:
        _remember(new)


def broke_glass(actor: User, patient: UUID, glass: Model | None) -> None:
    """A record was opened in an emergency, or one that there is not was named: then no object is. The reason is sealed
    with what was opened."""
    object_id = glass.pk if glass else ""
    record = entry(actor, Action.BROKE_GLASS, Kind.PATIENT, patient=patient, object_id=object_id)
    record.purpose = Purpose.EMERGENCY
    _write(insert([record]))


def signed(actor: User, action: Action, session: object = "") -> None:
    """In or out; of the session of the request unless another is named."""
    origin = current.get() or NOWHERE
    _write(insert([entry(actor, action, Kind.SESSION, patient=None, object_id=session or origin.session())]))


def refused(account: User | None, why: str, *, tried: str) -> None:
    """Somebody was not let in to this account, or to one that does not exist; `tried` is a digest of its name.

    What is tried while one has to wait is told once in REPEATED_SECONDS.
    """
    record = entry(account, Action.REFUSED, Kind.SESSION, patient=None, object_id=tried, reason=why)
    if account is None:
        record.purpose = Purpose.OWN
    keep([record], also_repeated=why != LOCKED)


def _about(
    actor: User | None,
    action: Action,
    row: Model,
    patient: UUID | None,
    changes: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditRecord:
    whose = patient or patient_of(row)
    return entry(actor, action, kind_of(row), patient=whose, object_id=row.pk, changes=changes, reason=reason)


def _write(statements: Iterable[Statement]) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("A change is told in its own transaction.")
    run(*statements)


def _note(seen: Seen) -> None:
    if (origin := current.get()) is not None:
        origin.seen.append(seen)


def _told(row: Model, name: str, values: tuple[object, object]) -> list[object] | None:
    field = next((field for field in row._meta.get_fields() if field.name == name), None)
    if isinstance(field, EncryptedTextField) or name in WITHOUT_VALUES:
        return None
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    """As JSON has it, the same however often it is read back."""
    if isinstance(value, (list, tuple, set)):
        return sorted(map(_plain, value), key=str)
    if isinstance(value, Model):
        return str(value.pk)
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def _repeats(record: AuditRecord) -> str:
    where = record.session or record.network
    parts = (record.actor_id, where, record.action, record.kind, record.patient, record.object_id)
    return "audit:" + ":".join(map(str, parts))


def _not_told_lately(records: Sequence[AuditRecord]) -> list[AuditRecord]:
    by_key = {_repeats(record): record for record in records}
    try:
        told = cache.get_many(by_key) if by_key else {}
    except RedisError:  # told twice rather than not at all
        told = {}
    return [record for key, record in by_key.items() if key not in told]


def _remember(records: Sequence[AuditRecord]) -> None:
    if not records:
        return
    try:
        cache.set_many({_repeats(record): 1 for record in records}, REPEATED_SECONDS)
    except RedisError:
        logger.warning("the cache does not answer; what is read again is told again")


def _ids(record: AuditRecord) -> dict[str, str]:
    names = ("actor_id", "session", "action", "kind", "object_id", "patient")
    return {name: str(getattr(record, name)) for name in names}
