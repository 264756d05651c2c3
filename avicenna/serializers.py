from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.utils.encoders import JSONEncoder

from accounts.access import Act, Resource, closed_fields, role_of
from accounts.roles import Role

FIXED = _("This cannot be changed.")
NOT_YOURS = _("You may not write this.")


class ChangeSerializer(serializers.Serializer[Any]):
    """Says no to another value for a field that is fixed, instead of passing over it.

    The value it has may come back, so that a client can send the whole object it read.
    """

    fixed: ClassVar[dict[str, str | Promise]]  # field → why not
    reader: ClassVar[type[serializers.BaseSerializer[Any]]]  # what the client reads the object through

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = self.fixed.keys() & self.initial_data.keys()
        present = self._as_read() if given else {}
        changed = [name for name in given if self.initial_data[name] != present[name]]
        if changed:
            raise serializers.ValidationError({name: [str(self.fixed[name])] for name in changed})
        return attrs

    def _as_read(self) -> dict[str, Any]:
        shown = self.reader(self.instance, context=self.context).data
        found: dict[str, Any] = json.loads(json.dumps(shown, cls=JSONEncoder))
        return found


class FieldsByRole(serializers.Serializer[Any]):
    """Shows the reader the fields that the access matrix opens to them, and refuses others instead of passing over.

    The reader is the context's `reader`, a role, or else who sent the context's `request`.
    """

    resource: ClassVar[Resource]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        if getattr(self.context.get("view"), "swagger_fake_view", False):  # the schema shows every field
            return fields
        closed = closed_fields(self._reader(), Act.READ, self.resource)
        return {name: field for name, field in fields.items() if name not in closed}

    def to_internal_value(self, data: Any) -> Any:
        act = Act.CREATE if self.instance is None else Act.CHANGE
        closed = closed_fields(self._reader(), act, self.resource)
        known = {name for name, field in super().get_fields().items() if not field.read_only}
        if isinstance(data, Mapping) and (given := closed & known & data.keys()):
            present = self._as_shown() if self.instance is not None else {}
            if refused := [name for name in sorted(given) if name not in present or data[name] != present[name]]:
                raise serializers.ValidationError({name: [str(NOT_YOURS)] for name in refused})
            data = {name: value for name, value in data.items() if name not in given}
        return super().to_internal_value(data)

    def _as_shown(self) -> dict[str, Any]:
        """The value it has may come back, so that a client can send the whole object it read."""
        found: dict[str, Any] = json.loads(json.dumps(self.to_representation(self.instance), cls=JSONEncoder))
        return found

    def _reader(self) -> Role | None:
        if "reader" in self.context:
            return cast("Role | None", self.context["reader"])
        return role_of(self.context["request"].user)
