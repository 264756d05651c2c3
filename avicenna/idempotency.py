from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from avicenna.errors import ActionError
from avicenna.identifiers import id_for_key, new_id

Row = TypeVar("Row", bound=Model)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Sending twice with one key creates once."
)


class KeyUsed(ActionError):
    code = "key_used"
    message = _("This key was used before, for something that is out of your reach now.")
    status = status.HTTP_409_CONFLICT


def create_once(request: Request, visible: QuerySet[Row], create: Callable[[UUID], Row]) -> tuple[Row, bool]:
    """The row an `Idempotency-Key` created before, or a new one; and whether it is new.

    The key decides the primary key, so of two requests that race one inserts, and the other answers its row.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return create(new_id()), True
    if len(key) > 200:
        raise ValidationError({"Idempotency-Key": [_("At most 200 characters.")]})
    pk = id_for_key(request.user.pk, f"{visible.model._meta.label}:{key}")
    if existing := visible.filter(pk=pk).first():
        return existing, False
    try:
        return create(pk), True
    except (IntegrityError, ActionError):
        if winner := visible.filter(pk=pk).first():
            return winner, False
        if visible.model._base_manager.filter(pk=pk).exists():
            raise KeyUsed from None
        raise


def created(data: Any, *, is_new: bool) -> Response:
    return Response(data, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
