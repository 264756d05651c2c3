from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Session
from avicenna.sql import GREATER, Statement, run, upsert
from diagnoses.models import Diagnosis
from realtime.lookups import ticket_of
from realtime.models import DiagnosisEvent, Receipt, StreamProcess, Ticket

TICKET_SECONDS = 30


def issue_ticket(*, session: Session, diagnosis: Diagnosis) -> str:
    """128 random bits that open one socket on `diagnosis` within TICKET_SECONDS, for as long as the session's token."""
    secret = secrets.token_urlsafe(16)
    Ticket.objects.create(
        digest=_digest(secret),
        session=session,
        user_id=session.user_id,
        diagnosis=diagnosis,
        expires_at=timezone.now() + timedelta(seconds=TICKET_SECONDS),
        access_until=session.access_until,
    )
    return secret


def redeem_ticket(*, secret: str, diagnosis_id: object) -> Session | None:
    """The live session behind a ticket for this diagnosis, once; else None. A ticket tried elsewhere is used up."""
    ticket = ticket_of(_digest(secret))
    if ticket is None or not _is_mine(ticket):
        return None
    if ticket.diagnosis_id != diagnosis_id or ticket.expires_at <= timezone.now() or not ticket.session.is_live:
        return None
    ticket.session.access_until = ticket.access_until
    return ticket.session


def _is_mine(ticket: Ticket) -> bool:
    """Of several that come with one ticket, whoever removes it has used it."""
    table, key = Ticket._meta.db_table, ticket._meta.pk.column
    [removed] = run(Statement(f"DELETE FROM {table} WHERE {key} = %s RETURNING {key}", [ticket.pk]))
    return bool(removed)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def record_receipts(*, seen: Mapping[tuple[UUID, UUID], int]) -> None:
    """How far devices have confirmed, by session and diagnosis. Never goes back; who is gone is left out."""
    sessions = set(Session.objects.filter(pk__in={session for session, _ in seen}).values_list("pk", flat=True))
    diagnoses = set(Diagnosis.objects.filter(pk__in={pk for _, pk in seen}).values_list("pk", flat=True))
    now = timezone.now()
    rows = [
        (session, diagnosis, seq, now)
        for (session, diagnosis), seq in sorted(seen.items())
        if session in sessions and diagnosis in diagnoses
    ]
    run(*upsert(Receipt, ["session", "diagnosis"], ["seen_seq", "seen_at"], rows, GREATER))


@transaction.atomic
def report_process(*, id: UUID, name: str, started_at: datetime, **figures: Any) -> None:
    """What a server process says of itself; those silent for an hour are forgotten."""
    now = timezone.now()
    StreamProcess.objects.update_or_create(
        id=id, defaults={"name": name, "started_at": started_at, "seen_at": now, **figures}
    )
    StreamProcess.objects.filter(seen_at__lt=now - timedelta(hours=1)).delete()


@transaction.atomic
def prune_events(*, keep: int) -> tuple[int, int]:
    """Removes what lies more than `keep` behind its head, and expired tickets; returns how many of each."""
    old = DiagnosisEvent.objects.filter(seq__lte=F("diagnosis__head") - keep)
    events, _ = DiagnosisEvent.objects.filter(pk__in=old.values("pk")).delete()
    tickets, _ = Ticket.objects.filter(expires_at__lt=timezone.now()).delete()
    return events, tickets
