from __future__ import annotations

from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet

from diagnoses.models import Condition, Contraindication, Diagnosis, Remedy, SideEffect
from diagnoses.querysets import CatalogueQuerySet


class CatalogueFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(method="search", label="part of a name, in either language")

    def search(self, queryset: CatalogueQuerySet, name: str, value: str) -> CatalogueQuerySet:
        return queryset.filter(Q(name_en__icontains=value) | Q(name_fa__icontains=value) | Q(slug__icontains=value))


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
