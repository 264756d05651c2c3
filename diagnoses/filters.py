from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Replace

from accounts.access import Act, Resource, closed_fields, role_of
from diagnoses.models import Condition, Contraindication, Diagnosis, Patient, Remedy, SideEffect
from diagnoses.querysets import CatalogueQuerySet, PatientQuerySet

ZWNJ = "\u200c"
PERSIAN_LETTERS = str.maketrans({"\u064a": "\u06cc", "\u0643": "\u06a9"})  # ye and kaf


class CatalogueFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search", label="part of a name, in either language")

    def search(self, queryset: CatalogueQuerySet, name: str, value: str) -> CatalogueQuerySet:
        """Persian is found however its words are joined, and with the letters of an Arabic keyboard, too."""
        joined: CatalogueQuerySet = queryset.alias(joined=Replace(Replace("name_fa", Value(ZWNJ)), Value(" ")))
        persian = value.translate(PERSIAN_LETTERS).replace(ZWNJ, "").replace(" ", "")
        found: CatalogueQuerySet = joined.filter(
            Q(name_en__icontains=value) | Q(joined__icontains=persian) | Q(slug__icontains=value)
        )
        return found


class ConditionFilter(CatalogueFilter):
    class Meta:
        model = Condition
        fields = ["category", "is_active"]


class RemedyFilter(CatalogueFilter):
    class Meta:
        model = Remedy
        fields = ["kind", "is_active"]


class SideEffectFilter(CatalogueFilter):
    class Meta:
        model = SideEffect
        fields = ["body_system", "is_active"]


class PatientFilter(django_filters.FilterSet):
    """There is none by name: names are sealed, the database cannot compare them."""

    condition = django_filters.CharFilter(method="having", label="slug of what is being treated")
    asks_for: ClassVar[dict[str, str]] = {"condition": "active_diagnoses", "mizaj_type": "mizaj_type"}

    class Meta:
        model = Patient
        fields = ["mizaj_type"]

    def filter_queryset(self, queryset: PatientQuerySet) -> PatientQuerySet:
        """Who may not see it may not ask for it either: then nobody is found."""
        closed = closed_fields(role_of(self.request.user), Act.READ, Resource.PATIENT)
        given = {name for name, value in self.form.cleaned_data.items() if value}
        if any(self.asks_for[name] in closed for name in given & self.asks_for.keys()):
            return queryset.none()
        found: PatientQuerySet = super().filter_queryset(queryset)
        return found

    def having(self, queryset: PatientQuerySet, name: str, value: str) -> PatientQuerySet:
        treated = Diagnosis.objects.filter(
            patient=OuterRef("pk"), condition__slug=value, status=Diagnosis.Status.ACTIVE
        )
        return queryset.filter(Exists(treated))


class DiagnosisFilter(django_filters.FilterSet):
    condition = django_filters.CharFilter(field_name="condition__slug")
    patient = django_filters.UUIDFilter(method="of_patient")

    class Meta:
        model = Diagnosis
        fields = ["status", "severity", "condition", "patient"]

    def of_patient(self, queryset: QuerySet[Diagnosis], name: str, value: UUID) -> QuerySet[Diagnosis]:
        """An id the caller may not see finds nothing, like one that does not exist."""
        return queryset.filter(patient=value)


class ContraindicationFilter(django_filters.FilterSet):
    standing = django_filters.BooleanFilter(field_name="lifted_at", lookup_expr="isnull", label="not lifted")

    class Meta:
        model = Contraindication
        fields: list[str] = []
