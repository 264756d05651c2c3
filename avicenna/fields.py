from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class PastDateField(serializers.DateField):
    """A date that is not in the future."""

    default_error_messages = {"future": _("This date lies in the future.")}

    def to_internal_value(self, value: Any) -> Any:
        day = super().to_internal_value(value)
        if day > timezone.localdate():
            self.fail("future")
        return day


def one_to_five(**kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=5, **kwargs)


def text(length: int, **kwargs: Any) -> serializers.CharField:
    """Optional text; sealed model fields have no serializer field of their own."""
    return serializers.CharField(max_length=length, required=False, allow_blank=True, **kwargs)
