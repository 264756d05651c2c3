"""Breaking the glass: a record is opened in an emergency, for a reason and a while, and all concerned can see it.

Whoever breaks it names the record by its number, which the patient or the reception knows; nothing can be searched.
What is answered does not tell whether there is such a record, and each try stands in the audit trail.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.access import Act, Resource
from accounts.models import User
from audit import trail
from avicenna.permissions import require
from diagnoses.errors import AlreadyVisible, NoReason
from diagnoses.models import BrokenGlass, Patient
from realtime.publish import rights_changed

OPEN_FOR = timedelta(minutes=60)
# A reason, not a keystroke.
LEAST_WORDS = 3


@transaction.atomic
def break_glass(*, actor: User, patient_id: UUID, reason: str) -> datetime:
    """Until when the record of that number is open to the actor, if there is one. Raises what is above."""
    require(actor, Act.CREATE, Resource.GLASS)
    if len(reason.split()) < LEAST_WORDS:
        raise NoReason(field="reason")
    if Patient.objects.visible_to(actor).filter(pk=patient_id).exists():
        raise AlreadyVisible
    until = timezone.now() + OPEN_FOR
    # Locked, so that it is not erased meanwhile.
    patient = Patient.objects.select_for_update(no_key=True).filter(pk=patient_id, erased_at=None).first()
    glass = BrokenGlass(patient=patient, practitioner=actor, reason=reason, until=until) if patient else None
    if glass:
        glass.save(force_insert=True)
    trail.broke_glass(actor, patient_id, glass)
    return until


@transaction.atomic
def review_glass(*, actor: User, glass: BrokenGlass) -> BrokenGlass:
    """Somebody answerable has looked at it; who was first stays."""
    require(actor, Act.CHANGE, Resource.GLASS)
    glass = BrokenGlass.objects.select_for_update(of=("self",)).for_list().get(pk=glass.pk)
    if glass.reviewed_at is None:
        glass.reviewed_at, glass.reviewed_by = timezone.now(), actor
        glass.save(update_fields=["reviewed_at", "reviewed_by"])
        trail.changed(actor, glass, {"reviewed_by": (None, actor)})
    return glass


@transaction.atomic
def close_glass(*, actor: User, glass: BrokenGlass) -> BrokenGlass:
    """It ends now instead of by itself."""
    require(actor, Act.CHANGE, Resource.GLASS)
    glass = BrokenGlass.objects.select_for_update(of=("self",)).for_list().get(pk=glass.pk)
    now = timezone.now()
    if glass.until > now:
        trail.changed(actor, glass, {"until": (glass.until, now)})
        glass.until = now
        glass.save(update_fields=["until"])
        rights_changed(glass.practitioner)
    return glass
