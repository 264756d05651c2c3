from __future__ import annotations

import json
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.utils.encoders import JSONEncoder

FIXED = _("This cannot be changed.")


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
