from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.access import Resource
from diagnoses.querysets import through_patient

if TYPE_CHECKING:
    from accounts.models import User
    from predictions.models import PredictionRecord  # noqa: F401  (named in a string below)


class PredictionRecordQuerySet(models.QuerySet["PredictionRecord"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "patient", Resource.PREDICTION))

    def for_list(self) -> Self:
        return self.select_related("recommendation__remedy", "feedback").defer("feedback__comment")

    def with_outcome(self, since: datetime) -> Self:
        """Those whose report was given since then and stands."""
        return self.filter(reported_at__gte=since, feedback__withdrawn_at=None, feedback__is_counted=True)
