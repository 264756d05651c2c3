"""Who may see what. Every list, object, socket and report starts from `visible_to`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Case, Exists, OuterRef, Prefetch, Q, Subquery, Value, When
from django.db.models.functions import Now

from accounts.access import Act, Reach, Resource, reach, role_of

if TYPE_CHECKING:
    from accounts.models import User
    from diagnoses.models import (  # noqa: F401  (named in strings below)
        BrokenGlass,
        Contraindication,
        Diagnosis,
        Patient,
        Recommendation,
    )


def through_patient(user: User | AnonymousUser, patient: str, resource: Resource) -> Q:
    """The rows whose patient (at lookup path `patient`, a column of the queried model) the user may see.

    `resource` is what the rows are in the access matrix.
    """
    from diagnoses.models import BrokenGlass, Patient

    found = reach(role_of(user), Act.READ, resource)
    if found is None:
        return Q(pk__in=[])
    if found == Reach.ALL:
        return Q(**{f"{patient}__erased_at" if patient != "pk" else "erased_at": None})
    own = Q(**{f"{patient}__user" if patient != "pk" else "user": user.pk})
    if found == Reach.OWN:
        return own
    membership = Patient.care_team.through.objects.filter(user=user.pk, patient=OuterRef(patient))
    opened = BrokenGlass.objects.filter(practitioner=user.pk, patient=OuterRef(patient), until__gt=Now())
    return own | Q(Exists(membership)) | Q(Exists(opened))


def still_visible(pairs: Collection[tuple[User, UUID]]) -> set[tuple[int, UUID]]:
    """Of pairs of user and diagnosis, the ids of those where `visible_to` holds, in three queries for any number.

    For whoever must ask for thousands of sockets at once; a test holds it and `through_patient` together.
    """
    from diagnoses.models import BrokenGlass, Diagnosis, Patient

    diagnoses = Diagnosis.objects.filter(pk__in={pk for _, pk in pairs})
    there = diagnoses.filter(patient__erased_at=None).values_list("pk", "patient", "patient__user")
    patients = {pk: (patient, owner) for pk, patient, owner in there}
    practitioners = {user.pk for user, _ in pairs if _reach_of(user) == Reach.CARE}
    memberships = Patient.care_team.through.objects.filter(user__in=practitioners, patient__diagnoses__in=patients)
    teams = set(memberships.values_list("user", "patient").distinct())
    if practitioners:
        opened = BrokenGlass.objects.standing().filter(practitioner__in=practitioners, patient__diagnoses__in=patients)
        teams |= set(opened.values_list("practitioner", "patient").distinct())

    def may_see(user: User, pk: UUID) -> bool:
        found = _reach_of(user)
        if pk not in patients or found is None:
            return False
        patient, owner = patients[pk]
        return found == Reach.ALL or owner == user.pk or (user.pk, patient) in teams

    return {(user.pk, pk) for user, pk in pairs if may_see(user, pk)}


def _reach_of(user: User) -> Reach | None:
    return reach(role_of(user), Act.READ, Resource.DIAGNOSIS)


class CatalogueQuerySet(models.QuerySet[Any]):
    def active(self) -> Self:
        return self.filter(is_active=True)


class PatientQuerySet(models.QuerySet["Patient"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "pk", Resource.PATIENT))

    def for_list(self) -> Self:
        """With `active_diagnoses`, newest first."""
        from diagnoses.models import Diagnosis

        active = Diagnosis.objects.filter(status=Diagnosis.Status.ACTIVE).select_related("condition")
        return self.prefetch_related(Prefetch("diagnoses", queryset=active, to_attr="active_diagnoses"))


class DiagnosisQuerySet(models.QuerySet["Diagnosis"]):
    def with_end_of_sight(self, user: User) -> Self:
        """With `seen_until`: when the user will not see it any more because it was opened for a while; else None."""
        from diagnoses.models import BrokenGlass, Patient

        if _reach_of(user) != Reach.CARE:
            return self.annotate(seen_until=Value(None, output_field=models.DateTimeField()))
        members = Patient.care_team.through.objects.filter(user=user.pk, patient=OuterRef("patient"))
        opened = BrokenGlass.objects.filter(practitioner=user.pk, patient=OuterRef("patient")).order_by("-until")
        return self.annotate(
            seen_until=Case(
                When(Q(patient__user=user.pk) | Q(Exists(members)), then=None),
                default=Subquery(opened.values("until")[:1]),
                output_field=models.DateTimeField(),
            )
        )

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "patient", Resource.DIAGNOSIS))

    def for_list(self) -> Self:
        return self.select_related("condition", "patient", "practitioner")


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "diagnosis__patient", Resource.RECOMMENDATION))

    def for_list(self) -> Self:
        return self.select_related("remedy")

    def active(self) -> Self:
        return self.filter(status="active")


class BrokenGlassQuerySet(models.QuerySet["BrokenGlass"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "patient", Resource.GLASS))

    def for_list(self) -> Self:
        return self.select_related("practitioner", "reviewed_by", "patient__key")

    def standing(self) -> Self:
        """Open by the database's clock."""
        return self.filter(until__gt=Now())


class ContraindicationQuerySet(models.QuerySet["Contraindication"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "patient", Resource.CONTRAINDICATION))

    def for_list(self) -> Self:
        return self.select_related("remedy", "stated_by", "lifted_by")

    def standing(self) -> Self:
        """Not lifted: what nobody may recommend."""
        return self.filter(lifted_at=None)

    def of_patients(self, patients: Iterable[Patient | UUID]) -> Self:
        return self.filter(patient__in=patients)
