from __future__ import annotations

from django.contrib import admin

from avicenna.admin import ReadOnlyAdmin
from predictions.models import PredictionModel


@admin.register(PredictionModel)
class PredictionModelAdmin(ReadOnlyAdmin):
    list_display = ["version", "trained_at", "training_size", "holdout_size", "is_active"]
    fields = ["version", "trained_at", "training_size", "holdout_size", "metrics", "scales", "is_active"]
