from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from avicenna.identifiers import id_for_key, new_id

Row = TypeVar("Row", bound=Model)


def create_once(request: Request, visible: QuerySet[Row], create: Callable[[UUID], Row]) -> tuple[Row, bool]:
    """The row an `Idempotency-Key` created before, or a new one; and whether it is new.

    The key decides the primary key, so two requests that race cannot both insert.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return create(new_id()), True
    if len(key) > 200:
        raise ValidationError({"Idempotency-Key": [_("At most 200 characters.")]})
    pk = id_for_key(request.user.pk, f"{visible.model._meta.label}:{key}")
    existing = visible.filter(pk=pk).first()
    return (existing, False) if existing else (create(pk), True)
