from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS

from audit import trail


class TellsReads:
    """A viewset that says to the audit trail what it shows: the page of a list, or the object that was asked for.

    A change shows its object, too, and is told as a change.
    """

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)  # type: ignore[misc]  # of the viewset
        trail.listed(page)
        return page

    def get_object(self) -> Any:
        row = super().get_object()  # type: ignore[misc]  # of the viewset
        if self.request.method in SAFE_METHODS:  # type: ignore[attr-defined]  # of the viewset
            trail.read(row)
        return row
