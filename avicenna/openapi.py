"""How an operation may be refused, said of each in the OpenAPI schema: the one error shape, under every status.

What follows from permissions, limits and parameters is found here. What a view refuses by itself, it declares.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, AllowAny, IsAuthenticated

from avicenna.permissions import Asks

# By these nobody is refused who is signed in.
OPEN_TO_ALL = {AllowAny, IsAuthenticated}
# Where the state of things may be against what is written, or a patient may be gone.
HAS_STATE = {"clinic", "feedback"}


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField(help_text="In the caller's language.")
    fields = serializers.DictField(required=False, help_text="What must change: field → reasons.")  # type: ignore[assignment]


class ErrorSerializer(serializers.Serializer[Any]):
    error = RefusalSerializer()


class Schema(AutoSchema):
    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation:
            responses = operation["responses"]
            if "Idempotency-Key" in _names(operation) and "201" in responses:
                responses.setdefault("200", responses["201"])  # what was created before is answered again
            for status in self._refusals(operation):
                responses.setdefault(str(status.value), self._refusal(status))
            operation["responses"] = dict(sorted(responses.items()))
        return operation

    def _refusals(self, operation: dict[str, Any]) -> set[HTTPStatus]:
        """What any such operation may be refused with, whatever it is about."""
        writes, takes_body = self.method not in SAFE_METHODS, "requestBody" in operation
        named, has_state = _names(operation), bool(HAS_STATE & set(operation["tags"]))
        when = {
            HTTPStatus.BAD_REQUEST: takes_body or bool(named),
            HTTPStatus.UNAUTHORIZED: bool(self.view.authentication_classes),
            HTTPStatus.FORBIDDEN: any(map(self._refuses, self.view.permission_classes)),
            HTTPStatus.NOT_FOUND: "{" in self.path or "page" in named or (writes and has_state),
            HTTPStatus.NOT_ACCEPTABLE: True,
            HTTPStatus.CONFLICT: writes and has_state,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: takes_body,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE: takes_body,
            HTTPStatus.TOO_MANY_REQUESTS: getattr(self._handler(), "is_limited", False),
            HTTPStatus.SERVICE_UNAVAILABLE: True,
        }
        return {status for status, may_come in when.items() if may_come}

    def _refuses(self, permission: Any) -> bool:
        if permission in OPEN_TO_ALL:
            return False
        return not issubclass(permission, Asks) or permission.refuses_a_role(self.method, self.view)

    def _handler(self) -> Any:
        return getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)

    def _refusal(self, status: HTTPStatus) -> dict[str, Any]:
        schema = self.resolve_serializer(ErrorSerializer, "response").ref
        return {"description": status.phrase, "content": {"application/json": {"schema": schema}}}


def _names(operation: dict[str, Any]) -> set[str]:
    """The parameters beside those of the path, which lead nowhere when they are wrong."""
    return {given["name"] for given in operation.get("parameters", ()) if given["in"] != "path"}
