from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ReadOnlyModelViewSet

from accounts.access import Act, Resource, may
from avicenna.permissions import allowed
from diagnoses.filters import ConditionFilter, RemedyFilter, SideEffectFilter
from diagnoses.models import Condition, Remedy, SideEffect
from diagnoses.serializers import ConditionSerializer, RemedySerializer, SideEffectSerializer, SourcedRemedySerializer


class CatalogueViewSet(ReadOnlyModelViewSet[Any]):
    permission_classes = [allowed(Resource.CATALOGUE)]
    lookup_field = "slug"
    lookup_value_regex = "[-a-zA-Z0-9_]+"


@extend_schema(tags=["catalogue"])
class ConditionViewSet(CatalogueViewSet):
    queryset = Condition.objects.all()
    serializer_class = ConditionSerializer
    filterset_class = ConditionFilter


@extend_schema(tags=["catalogue"], responses=SourcedRemedySerializer)
class RemedyViewSet(CatalogueViewSet):
    """Where the degrees come from, and how sure that is, is for the clinic: patients get the rest."""

    queryset = Remedy.objects.all()
    serializer_class = RemedySerializer
    filterset_class = RemedyFilter

    def get_serializer_class(self) -> type[BaseSerializer[Remedy]]:
        sourced = may(self.request.user, Act.READ, Resource.CATALOGUE, "source")
        return SourcedRemedySerializer if sourced else RemedySerializer


@extend_schema(tags=["catalogue"])
class SideEffectViewSet(CatalogueViewSet):
    queryset = SideEffect.objects.all()
    serializer_class = SideEffectSerializer
    filterset_class = SideEffectFilter
