from __future__ import annotations

import json
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.access import Resource
from audit.models import AuditRecord
from avicenna.admin import ReadOnlyAdmin
from avicenna.pagination import NewestPaginator


@admin.register(AuditRecord)
class AuditRecordAdmin(ReadOnlyAdmin):
    """The trail, newest first. Nothing is counted: with millions of records each page costs what it shows."""

    resource = Resource.TRAIL
    list_display = ["at", "who", "actor_role", "action", "kind", "patient", "purpose", "network", "number"]
    list_filter = ["action"]
    search_fields = ["patient", "actor"]
    search_help_text = _("The id of a patient, or the number of a user.")
    fields = [
        "at", "who", "actor_role", "session", "network", "request_id", "action", "kind", "object_id", "patient",
        "purpose", "reason", "told", "number", "previous_hash", "hash",
    ]  # fmt: skip
    ordering = ["-id"]
    list_per_page = 50
    paginator = NewestPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditRecord]:
        return AuditRecord.objects.visible_to(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditRecord], search_term: str
    ) -> tuple[QuerySet[AuditRecord], bool]:
        """Only what an index finds."""
        return queryset.filter(_named(search_term)) if search_term else queryset, False

    @admin.display(description=_("who"))
    def who(self, record: AuditRecord) -> str:
        return record.actor_name or (f"#{record.actor_id}" if record.actor_id else "–")

    @admin.display(description=_("changes"))
    def told(self, record: AuditRecord) -> str:
        return json.dumps(record.changes, ensure_ascii=False) if record.changes else "–"


def _named(term: str) -> Q:
    term = term.strip()
    if term.isascii() and term.isdigit() and len(term) < 19:
        return Q(actor=int(term))
    try:
        return Q(patient=UUID(term))
    except ValueError:
        return Q(pk__in=[])
