from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q

from audit.models import AuditRecord
from audit.querysets import AuditRecordQuerySet


class AccessFilter(django_filters.FilterSet):
    """What one did oneself would bury the rest: it is shown when asked for."""

    own = django_filters.BooleanFilter(help_text="Also what you did yourself.")

    class Meta:
        model = AuditRecord
        fields = ["own"]

    def filter_queryset(self, queryset: AuditRecordQuerySet) -> Any:
        if self.form.cleaned_data["own"]:
            return queryset
        return queryset.filter(~Q(actor=self.request.user.pk) | Q(actor=None))
