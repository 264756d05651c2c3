from __future__ import annotations

from typing import TYPE_CHECKING, Self, cast

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from accounts.access import Act, Reach, Resource, reach, role_of

if TYPE_CHECKING:
    from accounts.models import User
    from audit.models import AuditRecord  # noqa: F401  (named in a string below)


class AuditRecordQuerySet(models.QuerySet["AuditRecord"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Patients see what was done with their data; staff everything; practitioners nothing of it."""
        found = reach(role_of(user), Act.READ, Resource.TRAIL)
        if found is None:
            return self.none()
        return self if found == Reach.ALL else self.about(cast("User", user))

    def about(self, user: User) -> Self:
        """What was done with the user's own record."""
        try:
            return self.filter(patient=user.patient.pk)
        except ObjectDoesNotExist:
            return self.none()

    def sealed(self) -> Self:
        """In the order of the chain."""
        return self.exclude(number=None).order_by("number")

    def unsealed(self) -> Self:
        return self.filter(number=None).order_by("id")
