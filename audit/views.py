from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView

from accounts.models import User
from audit.filters import AccessFilter
from audit.models import Action, AuditRecord
from audit.serializers import AccessSerializer
from diagnoses.models import BrokenGlass


@extend_schema(tags=["auth"])
class AccessLogView(ListAPIView[AuditRecord]):
    """Who looked at or changed one's own record, newest first. Empty for who has none."""

    queryset = AuditRecord.objects.none()
    serializer_class = AccessSerializer
    filterset_class = AccessFilter

    def get_queryset(self) -> QuerySet[AuditRecord]:
        return AuditRecord.objects.about(cast(User, self.request.user))

    def paginate_queryset(self, queryset: Any) -> Any:
        """With the reasons of emergencies, which the trail itself does not hold: they are sealed with the record."""
        page = cast("list[AuditRecord]", super().paginate_queryset(queryset))
        emergencies = {record.object_id: record for record in page if record.action == Action.BROKE_GLASS}
        if emergencies:
            for glass in BrokenGlass.objects.for_list().filter(pk__in=emergencies):
                emergencies[str(glass.pk)].reason = glass.reason
        return page
