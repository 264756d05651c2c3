"""What every handshake and every read of a stream asks, put together once for a process (avicenna/prepared.py)."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet, Subquery

from accounts import tokens
from accounts.access import Act, Resource, reach
from accounts.models import Role, Session, User
from avicenna.prepared import Parameter, Prepared
from avicenna.sql import run
from diagnoses.models import Diagnosis
from realtime.models import DiagnosisEvent, RightsClock, Ticket

_DIAGNOSIS_ID = Diagnosis._meta.get_field("id")


def visible_diagnosis(user: User | AnonymousUser, pk: UUID) -> Diagnosis | None:
    """With the number of its newest event, its patient's id, and `seen_until` (`with_end_of_sight`)."""
    visible = _VISIBLE.get(Role(user.role)) if isinstance(user, User) else None
    return visible.first(reader=user.pk, pk=pk) if visible else None


def visible_in(session: Session, pk: UUID) -> tuple[Diagnosis | None, bool]:
    """The same, and whether the session lives: looked at last, in one message to the database, so that who has signed
    out meanwhile does not even hear of the number of a newer event."""
    visible = _VISIBLE.get(Role(session.user.role))
    if visible is None:
        return None, True
    diagnoses, sessions = run(visible.asked(reader=session.user_id, pk=pk), tokens.SESSION.asked(pk=session.pk))
    lives = any(found.is_live for found in tokens.SESSION.found(sessions))
    return next(iter(visible.found(diagnoses)), None), lives


def head_of(diagnosis_id: UUID) -> int:
    """Raises `Diagnosis.DoesNotExist`."""
    found = _HEAD.first(pk=diagnosis_id)
    if found is None:
        raise Diagnosis.DoesNotExist
    return found.head


def events_after(diagnosis_id: UUID, since: int) -> list[DiagnosisEvent]:
    """In their order, each with `rights`, the number of the newest change of rights that was there to see."""
    return _AFTER.all(diagnosis=diagnosis_id, since=since)


def ticket_of(digest: str) -> Ticket | None:
    """With its session and that one's user."""
    return _TICKET.first(digest=digest)


def _visible_to_a(role: Role) -> QuerySet[Diagnosis]:
    reader = User(pk=Parameter("reader", User._meta.get_field("id")), role=role)
    visible = Diagnosis.objects.visible_to(reader).with_end_of_sight(reader).only("head", "patient")
    return visible.filter(pk=Parameter("pk", _DIAGNOSIS_ID))


def _after() -> QuerySet[DiagnosisEvent]:
    diagnosis = Parameter("diagnosis", _DIAGNOSIS_ID)
    since = Parameter("since", DiagnosisEvent._meta.get_field("seq"))
    rights = Subquery(RightsClock.objects.values("number")[:1])
    events = DiagnosisEvent.objects.filter(diagnosis_id=diagnosis, seq__gt=since)
    return events.order_by("seq").annotate(rights=rights)


_VISIBLE = {
    role: Prepared(lambda role=role: _visible_to_a(role))  # type: ignore[misc]  # its own role
    for role in Role
    if reach(role, Act.READ, Resource.DIAGNOSIS, "stream")
}
_HEAD = Prepared(lambda: Diagnosis.objects.only("head").filter(pk=Parameter("pk", _DIAGNOSIS_ID)))
_AFTER = Prepared(_after)
_TICKET = Prepared(
    lambda: Ticket.objects.select_related("session__user").filter(
        digest=Parameter("digest", Ticket._meta.get_field("digest"))
    )
)
