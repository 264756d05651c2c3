"""What every ranking reads first, put together once for a process (avicenna/prepared.py)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Sum

from accounts.models import Role, User
from avicenna.prepared import Among, Parameter, Parameters, Prepared
from diagnoses.models import Contraindication, Diagnosis, Recommendation

# Clinical texts, which no prediction reads.
UNREAD = [
    "symptoms",
    "notes",
    *(f"patient__{name}" for name in ("full_name", "medical_history", "current_medications")),
]


def visible_diagnoses(user: User | AnonymousUser, pks: Iterable[UUID]) -> dict[UUID, Diagnosis]:
    """Those of the named that the user may see, with condition and patient. One query."""
    if not isinstance(user, User) or not user.is_active:
        return {}
    found = _VISIBLE[Role(user.role)].all(reader=user.pk, pks=list(pks))
    return {diagnosis.pk: diagnosis for diagnosis in found}


def open_recommendations(diagnoses: Iterable[UUID]) -> list[Recommendation]:
    """The active ones with their remedies, in the order in which they were given. One query.

    Each has `patient_head`, the number of events of all diagnoses of its patient, and `is_contraindicated`.
    """
    return _OPEN.all(diagnoses=list(diagnoses))


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
    found = Recommendation.objects.for_list().active().filter(named)
    return found.annotate(patient_head=heads, is_contraindicated=Exists(against))


_VISIBLE = {role: Prepared(lambda role=role: _visible_to_a(role)) for role in Role}  # type: ignore[misc]  # its own role
_OPEN = Prepared(_open)
