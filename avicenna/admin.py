from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.access import Act, Resource, may

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

    def _may(self, request: HttpRequest, act: Act) -> bool:
        return request.user.is_staff and may(request.user, act, self.resource)


class StaffAdmin(ReadOnlyAdmin):
    """Staff adds and changes; nothing is deleted. Subclasses save through actions."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self._may(request, Act.CREATE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, Act.CHANGE)
