from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.access import Resource
from avicenna.admin import ReadOnlyAdmin
from realtime.models import DiagnosisEvent, Receipt


@admin.register(DiagnosisEvent)
class DiagnosisEventAdmin(ReadOnlyAdmin):
    """That something happened, and when; what happened is for those who may see the diagnosis."""

    resource = Resource.EVENT
    list_display = ["diagnosis_id", "seq", "type", "created_at"]
    list_filter = ["type"]
    fields = ["diagnosis", "seq", "type", "created_at"]
    ordering = ["-pk"]


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """What has reached a person: how far each of their devices has confirmed the stream of a diagnosis."""

    resource = Resource.EVENT
    list_display = ["user", "device", "diagnosis_id", "seen_seq", "newest", "is_up_to_date", "seen_at"]
    list_select_related = ["session__user", "diagnosis"]
    search_fields = ["session__user__email"]
    ordering = ["-seen_at"]

    @admin.display(description=_("user"))
    def user(self, receipt: Receipt) -> str:
        return str(receipt.session.user)

    @admin.display(description=_("device"))
    def device(self, receipt: Receipt) -> str:
        return receipt.session.device or "–"

    @admin.display(description=_("newest event"))
    def newest(self, receipt: Receipt) -> int:
        return receipt.diagnosis.head

    @admin.display(description=_("up to date"), boolean=True)
    def is_up_to_date(self, receipt: Receipt) -> bool:
        return receipt.seen_seq >= receipt.diagnosis.head
