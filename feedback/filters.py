from __future__ import annotations

import django_filters

from feedback.models import Feedback, SevereFlag
from feedback.querysets import FeedbackQuerySet


class FeedbackFilter(django_filters.FilterSet):
    recommendation = django_filters.UUIDFilter(field_name="recommendation_id")
    diagnosis = django_filters.UUIDFilter(field_name="diagnosis_id")
    patient = django_filters.UUIDFilter(field_name="patient_id")
    remedy = django_filters.CharFilter(field_name="recommendation__remedy__slug")
    rating_min = django_filters.NumberFilter(field_name="rating", lookup_expr="gte", min_value=1, max_value=5)
    rating_max = django_filters.NumberFilter(field_name="rating", lookup_expr="lte", min_value=1, max_value=5)
    since = django_filters.DateFilter(field_name="created_at", lookup_expr="date__gte")
    until = django_filters.DateFilter(field_name="created_at", lookup_expr="date__lte")
    withdrawn = django_filters.BooleanFilter(method="keep", label="also those withdrawn")
    ordering = django_filters.OrderingFilter(fields=["created_at", "rating"])

    class Meta:
        model = Feedback
        fields: list[str] = []

    def keep(self, queryset: FeedbackQuerySet, name: str, value: bool) -> FeedbackQuerySet:
        """Applied below: what was withdrawn is left out also when nothing was asked."""
        return queryset

    def filter_queryset(self, queryset: FeedbackQuerySet) -> FeedbackQuerySet:
        if not self.form.cleaned_data["withdrawn"]:
            queryset = queryset.standing()
        filtered: FeedbackQuerySet = super().filter_queryset(queryset)
        # Whatever comes first, the id comes last: pages neither repeat nor skip a row.
        asked = [name for name in filtered.query.order_by if name not in ("pk", "-pk")]
        return filtered.order_by(*(asked or ["-created_at"]), "-pk")


class SevereFlagFilter(django_filters.FilterSet):
    open = django_filters.BooleanFilter(field_name="looked_at", lookup_expr="isnull", label="nobody has looked at it")

    class Meta:
        model = SevereFlag
        fields: list[str] = []
