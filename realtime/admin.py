from __future__ import annotations

from django.contrib import admin

from avicenna.admin import ReadOnlyAdmin
from realtime.models import DiagnosisEvent


@admin.register(DiagnosisEvent)
class DiagnosisEventAdmin(ReadOnlyAdmin):
    """That something happened, and when; what happened is for those who may see the diagnosis."""

    list_display = ["diagnosis_id", "seq", "type", "created_at"]
    list_filter = ["type"]
    fields = ["diagnosis", "seq", "type", "created_at"]
    ordering = ["-pk"]
