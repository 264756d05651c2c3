"""The nine temperaments and their two axes (Ibn Sina, Canon of Medicine, book 1, on the temperaments)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Mizaj(models.TextChoices):
    BALANCED = "balanced", _("balanced")
    WARM = "warm", _("warm")
    COLD = "cold", _("cold")
    WET = "wet", _("wet")
    DRY = "dry", _("dry")
    WARM_WET = "warm_wet", _("warm and wet (damawi)")
    WARM_DRY = "warm_dry", _("warm and dry (safrawi)")
    COLD_WET = "cold_wet", _("cold and wet (balghami)")
    COLD_DRY = "cold_dry", _("cold and dry (sawdawi)")

    @property
    def axes(self) -> tuple[int, int]:
        """(warmth, moisture), each -1, 0 or +1."""
        words = self.value.split("_")
        warmth = ("warm" in words) - ("cold" in words)
        moisture = ("wet" in words) - ("dry" in words)
        return warmth, moisture
