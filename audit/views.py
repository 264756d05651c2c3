from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView

from accounts.models import User
from audit.filters import AccessFilter
from audit.models import AuditRecord
from audit.serializers import AccessSerializer


@extend_schema(tags=["auth"])
class AccessLogView(ListAPIView[AuditRecord]):
    """Who looked at or changed one's own record, newest first. Empty for who has none."""

    queryset = AuditRecord.objects.none()
    serializer_class = AccessSerializer
    filterset_class = AccessFilter

    def get_queryset(self) -> QuerySet[AuditRecord]:
        return AuditRecord.objects.about(cast(User, self.request.user))
