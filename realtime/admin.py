from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.access import Resource
from avicenna.admin import NewestFirst, Period, ReadOnlyAdmin, related
from realtime.models import DiagnosisEvent, Receipt


@admin.register(DiagnosisEvent)
class DiagnosisEventAdmin(NewestFirst, ReadOnlyAdmin):
    """That something happened, and when; what happened is for those who may see the diagnosis."""

    resource = Resource.EVENT
    list_display = ["of_diagnosis", "seq", "type", "created_at"]
    list_select_related = ["diagnosis"]  # the trail is told whose it is
    list_filter = ["type", ("created_at", Period)]
    of_diagnosis = related("diagnosis_id", _("diagnosis"))
    found_by_id = ("diagnosis",)
    search_help_text = _("The id of a diagnosis.")
    fields = ["its_diagnosis", "seq", "type", "created_at"]
    its_diagnosis = related("diagnosis", _("diagnosis"), is_link=True)
    readonly_fields = ["its_diagnosis"]


@admin.register(Receipt)
class ReceiptAdmin(NewestFirst, ReadOnlyAdmin):
    """What has reached a person: how far each of their devices has confirmed the stream of a diagnosis."""

    resource = Resource.EVENT
    list_display = ["user", "device", "of_diagnosis", "seen_seq", "newest", "is_up_to_date", "seen_at"]
    list_select_related = ["session__user", "diagnosis"]
    list_filter = [("seen_at", Period)]
    of_diagnosis = related("diagnosis_id", _("diagnosis"))
    found_by_id = ("session", "diagnosis")
    found_by_email = "session__user__email"
    search_help_text = _("The email of an account, or the id of a session or a diagnosis.")

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
