from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PredictionModel(models.Model):
    """A trained model: plain numbers as JSON, what it was trained on and how well it did on what came after."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    trained_at = models.DateTimeField(_("trained"), auto_now_add=True)
    training_size = models.PositiveIntegerField(_("reports learned from"))
    holdout_size = models.PositiveIntegerField(_("newest reports held out"))
    metrics = models.JSONField(_("quality on the held-out reports"), default=dict)
    scales = models.JSONField(_("prior scale of each group"), default=dict)
    coefficients = models.JSONField(_("coefficients"), default=dict)
    is_active = models.BooleanField(_("in use"), default=False)

    class Meta:
        verbose_name = _("prediction model")
        verbose_name_plural = _("prediction models")
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=models.Q(is_active=True), name="prediction_model_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"v{self.version}"
