from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import Session  # noqa: F401  (named in a string below)

KNOWN_DAYS = 90


class SessionQuerySet(models.QuerySet["Session"]):
    def visible_to(self, user: Any) -> Self:
        """One's own that are signed in: not ended, and renewed while a refresh token lives."""
        alive_since = timezone.now() - timedelta(days=settings.REFRESH_TOKEN_DAYS)
        return self.filter(user=user, ended_at=None, seen_at__gte=alive_since)

    def for_list(self) -> Self:
        return self.order_by("-seen_at", "-id")

    def knows(self, email: str, digest: str) -> bool:
        """Whether this account was signed in to from this address lately (`accounts.devices.address_digest`)."""
        lately = timezone.now() - timedelta(days=KNOWN_DAYS)
        return self.filter(user__email=email, address_digest=digest, created_at__gte=lately).exists()
