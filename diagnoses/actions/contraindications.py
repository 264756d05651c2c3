"""What must not be given to a patient."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.access import Act, Resource
from accounts.models import User
from audit import trail
from avicenna.identifiers import new_id
from diagnoses.actions.diagnoses import diagnosis_update
from diagnoses.actions.record import lock_patient, require_for
from diagnoses.errors import AlreadyContraindicated, AlreadyLifted
from diagnoses.models import Contraindication, Diagnosis, Patient, Remedy
from realtime.publish import publish


@transaction.atomic
def contraindicate(
    *,
    actor: User | None,
    patient: Patient,
    remedy: Remedy,
    cause: Contraindication.Cause,
    reason: str = "",
    id: UUID | None = None,
) -> Contraindication:
    """From now on nobody can recommend the remedy to the patient, and no prediction names it.

    What is given already goes on until a practitioner stops it: see `Contraindication.active_recommendations`.
    A retired remedy can be named, too: it may come back.
    """
    lock_patient(patient.pk)
    require_for(actor, Act.CREATE, Resource.CONTRAINDICATION, patient)
    contraindication = Contraindication(
        id=id or new_id(), patient=patient, remedy=remedy, cause=cause, reason=reason, stated_by=actor
    )
    try:
        with transaction.atomic():
            contraindication.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyContraindicated(field="remedy") from error
    trail.created(actor, contraindication)
    _tell_where_given(contraindication)
    return contraindication


@transaction.atomic
def lift_contraindication(*, actor: User | None, contraindication: Contraindication) -> Contraindication:
    """The remedy may be given again; who stated it and who lifted it stays in the record."""
    lock_patient(contraindication.patient_id)
    require_for(actor, Act.CHANGE, Resource.CONTRAINDICATION, contraindication.patient)
    contraindication = Contraindication.objects.for_list().get(pk=contraindication.pk)
    if not contraindication.is_standing:
        raise AlreadyLifted
    contraindication.lifted_at, contraindication.lifted_by = timezone.now(), actor
    contraindication.save(update_fields=["lifted_at", "lifted_by"])
    trail.changed(actor, contraindication, {"is_standing": (True, False)})
    _tell_where_given(contraindication)
    return contraindication


def _tell_where_given(contraindication: Contraindication) -> None:
    """Those who watch a diagnosis in which the remedy is given: what is predicted there changes."""
    given = contraindication.active_recommendations().values("diagnosis")
    # Whoever locks several diagnoses does so in this order.
    locked = Diagnosis.objects.select_for_update(of=("self",)).select_related("patient")
    for diagnosis in locked.filter(pk__in=given, takes_events=True).order_by("pk"):
        publish(diagnosis, diagnosis_update(diagnosis, "changed", ["contraindications"]))
