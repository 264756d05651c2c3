from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Session
from diagnoses.models import Diagnosis
from realtime.models import DiagnosisEvent, Ticket

TICKET_SECONDS = 30


def issue_ticket(*, session: Session, diagnosis: Diagnosis) -> str:
    """128 random bits that open one socket on `diagnosis` within TICKET_SECONDS."""
    secret = secrets.token_urlsafe(16)
    Ticket.objects.create(
        digest=_digest(secret),
        session=session,
        user_id=session.user_id,
        diagnosis=diagnosis,
        expires_at=timezone.now() + timedelta(seconds=TICKET_SECONDS),
    )
    return secret


@transaction.atomic
def redeem_ticket(*, secret: str, diagnosis_id: object) -> Session | None:
    """The live session behind a ticket for this diagnosis, once; else None. A ticket tried elsewhere is used up."""
    ticket = (
        Ticket.objects.select_for_update(of=("self",))
        .select_related("session__user")
        .filter(digest=_digest(secret))
        .first()
    )
    if ticket is None:
        return None
    ticket.delete()
    Ticket.objects.filter(user_id=ticket.user_id, expires_at__lt=timezone.now()).delete()
    fits = ticket.diagnosis_id == diagnosis_id and ticket.expires_at > timezone.now()
    return ticket.session if fits and ticket.session.is_live else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def prune_events(*, keep: int) -> tuple[int, int]:
    """Removes what lies more than `keep` behind its head, and expired tickets; returns how many of each."""
    old = DiagnosisEvent.objects.filter(seq__lte=F("diagnosis__head") - keep)
    events, _ = DiagnosisEvent.objects.filter(pk__in=old.values("pk")).delete()
    tickets, _ = Ticket.objects.filter(expires_at__lt=timezone.now()).delete()
    return events, tickets
