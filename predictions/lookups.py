"""What every ranking reads first, put together once for a process (avicenna/prepared.py)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery, Sum

from accounts.access import Act, Resource, reach
from accounts.models import Role, User
from avicenna.prepared import Among, Parameter, Parameters, Prepared
from avicenna.sql import run
from diagnoses.models import Contraindication, Diagnosis, Recommendation

# What no prediction reads: clinical texts, times, where a remedy is known from.
UNREAD = ["symptoms", "notes", "created_at", "updated_at"]
UNREAD += [f"patient__{name}" for name in ("full_name", "medical_history", "current_medications", "source")]
UNREAD += [f"patient__{name}" for name in ("created_at", "updated_at", "erased_at")]
UNREAD_OF_RECOMMENDATION = ["updated_at"]
UNREAD_OF_RECOMMENDATION += [f"remedy__{name}" for name in ("scientific_name", "source", "confidence", "note")]


def visible_and_open(user: User, pks: Sequence[UUID]) -> tuple[list[Diagnosis], list[Recommendation]]:
    """The named diagnoses that the user may see, with condition and patient; the `open_recommendations` of all that
    are named, those that the user may not see among them. One message to the database."""
    visible = _VISIBLE.get(Role(user.role))
    if visible is None:
        return [], []
    diagnoses, recommendations = run(visible.asked(reader=user.pk, pks=pks), _OPEN.asked(diagnoses=pks))
    return visible.found(diagnoses), _OPEN.found(recommendations)


def open_recommendations(diagnoses: Sequence[UUID]) -> list[Recommendation]:
    """The active ones with their remedies, in the order in which they were given. One query.

    Each has `patient_head`, the number of events of all diagnoses of its patient, and `is_contraindicated`.
    """
    return _OPEN.all(diagnoses=diagnoses)


def _visible_to_a(role: Role) -> QuerySet[Diagnosis]:
    reader = User(pk=Parameter("reader", User._meta.get_field("id")), role=role)
    visible = Diagnosis.objects.visible_to(reader).select_related("condition", "patient").defer(*UNREAD)
    return visible.filter(Among("pk", Parameters("pks", Diagnosis._meta.get_field("id"))))


def _open() -> QuerySet[Recommendation]:
    of_patient = Diagnosis.objects.filter(patient=OuterRef("diagnosis__patient")).order_by().values("patient")
    heads = Subquery(of_patient.annotate(total=Sum("head")).values("total"))
    named = Among("diagnosis", Parameters("diagnoses", Diagnosis._meta.get_field("id")))
    against = Contraindication.objects.standing().filter(
        patient=OuterRef("diagnosis__patient"), remedy=OuterRef("remedy")
    )
    found = Recommendation.objects.for_list().active().filter(named).defer(*UNREAD_OF_RECOMMENDATION)
    return found.annotate(patient_head=heads, is_contraindicated=Exists(against))


_VISIBLE = {
    role: Prepared(lambda role=role: _visible_to_a(role))  # type: ignore[misc]  # its own role
    for role in Role
    if reach(role, Act.READ, Resource.DIAGNOSIS, "predictions")
}
_OPEN = Prepared(_open)
