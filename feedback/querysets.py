from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.access import Resource
from diagnoses.querysets import through_patient

if TYPE_CHECKING:
    from accounts.models import User
    from feedback.models import Feedback, SevereFlag  # noqa: F401  (named in strings below)


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "patient", Resource.FEEDBACK))

    def for_list(self) -> Self:
        return self.select_related("recommendation__remedy").prefetch_related("side_effects__effect")

    def standing(self) -> Self:
        """Not withdrawn: what the patient says."""
        return self.filter(withdrawn_at=None)

    def counted(self) -> Self:
        """Standing, and of somebody who consents to statistics: what is in the figures."""
        return self.standing().filter(is_counted=True)


class SevereFlagQuerySet(models.QuerySet["SevereFlag"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self.filter(through_patient(user, "feedback__patient", Resource.SEVERE_FLAG))

    def for_list(self) -> Self:
        of_report = ("feedback__recommendation__remedy", "feedback__patient", "feedback__diagnosis__condition")
        return self.select_related(*of_report, "looked_at_by").prefetch_related("feedback__side_effects__effect")

    def standing(self) -> Self:
        """Of reports that were not withdrawn, by somebody who can still be asked about them."""
        return self.filter(feedback__withdrawn_at=None, feedback__patient__erased_at=None)
