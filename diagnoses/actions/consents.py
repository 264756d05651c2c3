from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from accounts.models import User
from audit import trail
from diagnoses.actions.record import WISHES, lock_patient
from diagnoses.consents import TEXT_VERSION
from diagnoses.models import Consent, Diagnosis, Patient


@transaction.atomic
def note_consents(*, actor: User, patient_id: UUID, consents: Mapping[Consent.Purpose, bool], language: str) -> Patient:
    """Writes down what differs from what holds, and returns the patient, locked, with what it comes to.

    Without treatment the record is closed: nothing new comes in, and what the clinic must keep is kept. What statistics
    are about is for the caller (`accounts.actions.set_consents`).
    """
    patient = lock_patient(patient_id)
    latest = {one.purpose: one.is_given for one in Consent.objects.filter(patient=patient_id)}  # the newest comes last
    news = {purpose: is_given for purpose, is_given in consents.items() if latest.get(purpose) != is_given}
    Consent.objects.bulk_create(
        Consent(patient=patient, purpose=purpose, is_given=is_given, text_version=TEXT_VERSION, language=language)
        for purpose, is_given in news.items()
    )
    for purpose, is_given in news.items():
        setattr(patient, WISHES[purpose], is_given)
    patient.save(update_fields=[*WISHES.values(), "updated_at"])
    if news:
        trail.changed(actor, patient, {WISHES[purpose]: (latest.get(purpose), wish) for purpose, wish in news.items()})
    if Consent.Purpose.TREATMENT in news:
        concerned = Diagnosis.objects.select_for_update().filter(patient=patient_id).order_by("pk")
        pks = list(concerned.values_list("pk", flat=True))
        Diagnosis.objects.filter(pk__in=pks).update(takes_events=patient.is_treated)
    return patient
