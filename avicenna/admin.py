from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.access import Act, Resource, closed_fields, may, role_of

admin.site.site_header = admin.site.site_title = _("Avicenna")
admin.site.index_title = _("The clinic")


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[type-arg]
    """A window: what is shown here changes through the API alone. The access matrix says to whom it opens."""

    resource: ClassVar[Resource]

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Act.READ)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, Act.READ)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self._open(request, super().get_list_display(request))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return self._open(request, super().get_list_filter(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self._open(request, super().get_fields(request, obj))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What one may not see one may not ask for in an address either."""
        return bool(self._open(request, [lookup.split("__")[0]])) and super().lookup_allowed(lookup, value, request)

    def _open(self, request: HttpRequest, names: Iterable[Any]) -> list[Any]:
        closed = closed_fields(role_of(request.user), Act.READ, self.resource)
        return [name for name in names if not (isinstance(name, str) and name in closed)]

    def _may(self, request: HttpRequest, act: Act) -> bool:
        return request.user.is_staff and may(request.user, act, self.resource)


class StaffAdmin(ReadOnlyAdmin):
    """Staff adds and changes; nothing is deleted. Subclasses save through actions."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self._may(request, Act.CREATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Act.CHANGE)
