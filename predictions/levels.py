from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    """Which part of a prediction's posterior ranks it."""

    CONSERVATIVE = "conservative", _("conservative: the lower 10 %")
    BALANCED = "balanced", _("balanced: the mean")
    AGGRESSIVE = "aggressive", _("aggressive: the upper 10 %")

    @property
    def quantile(self) -> float | None:
        return {"conservative": 0.1, "aggressive": 0.9}.get(self.value)
