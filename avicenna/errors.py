"""One shape for every error: `{"error": {"code", "message", "fields"?, "current"?}}`, in the caller's language.

`current` comes with `changed_meanwhile` alone.
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import mark_safe
from django.utils.translation import get_language_from_request, gettext, gettext_lazy, override
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler
from rest_framework.views import set_rollback

from avicenna.data_keys import Erased
from avicenna.digits import digits

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5


class ActionError(Exception):
    """A business rule says no. Subclasses name the rule; nothing was written."""

    code: ClassVar[str] = "invalid"
    message: str | Promise = gettext_lazy("This is not possible.")  # of the class, or of one error that names things
    status: ClassVar[int] = status.HTTP_400_BAD_REQUEST

    # What is there instead, where that is the answer: as the API shows it.
    current: dict[str, Any] | None = None

    def __init__(self, *, field: str | None = None, reasons: Sequence[str] = ()) -> None:
        """`field` is what must change; `reasons` say why, when the message alone does not."""
        super().__init__(str(self.message))
        self.field = field
        self.reasons = list(reasons)


class Forbidden(ActionError):
    code = "forbidden"
    message = gettext_lazy("You may not do this.")
    status = status.HTTP_403_FORBIDDEN


def body(code: str, message: object, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": str(message)}
    if fields:
        error["fields"] = fields
    return {"error": error}


def refusal(error: ActionError | exceptions.ValidationError) -> Response:
    """The answer to what a caller may not or cannot have done."""
    if isinstance(error, exceptions.ValidationError):
        return Response(_translate(error), status=error.status_code)
    fields = {error.field: error.reasons or [str(error.message)]} if error.field else None
    said = body(error.code, error.message, fields)
    if error.current is not None:
        said["error"]["current"] = error.current
    return Response(said, status=error.status)


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. What it does not know goes on to `server_error`."""
    if isinstance(exc, ActionError):
        return refusal(exc)
    if isinstance(exc, (OperationalError, InterfaceError)):  # what a driver says of a database that does not answer
        logger.error("the database does not answer", exc_info=exc)
        set_rollback()
        return Response(
            body("unavailable", gettext("The database does not answer at the moment. Please try again.")),
            status=status.HTTP_503_SERVICE_UNAVAILABLE,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    if isinstance(exc, Erased):  # between the look for it and the change of it
        return drf_handler(Http404(), context)
    if isinstance(exc, RequestDataTooBig):
        return Response(
            body("too_large", gettext("The request is too large.")), status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
        )
    response = drf_handler(exc, context)
    if response is not None:
        response.data = _translate(exc)
    return response


def _translate(exc: Exception) -> dict[str, Any]:
    if isinstance(exc, Http404):
        return body("not_found", gettext("There is nothing here."))
    if isinstance(exc, PermissionDenied):
        return body("forbidden", gettext("You may not do this."))
    if isinstance(exc, exceptions.ValidationError):
        fields = exc.detail if isinstance(exc.detail, dict) else {"non_field_errors": exc.detail}
        return body("invalid", gettext("Some fields need another value."), _spelled(fields))
    if isinstance(exc, exceptions.APIException):
        return body(_code(exc), _message(exc))
    return body("error", gettext("Something went wrong."))


def _spelled(said: Any) -> Any:
    """With limits in the digits of the language; elsewhere digits may be of what the caller has sent."""
    if isinstance(said, dict):
        return {field: _spelled(what) for field, what in said.items()}
    if isinstance(said, list):
        return [_spelled(what) for what in said]
    return _NUMBER.sub(lambda found: digits(found[0]), said) if getattr(said, "code", None) in _LIMITS else said


_LIMITS = {"max_length", "min_length", "max_value", "min_value"}
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def _code(exc: exceptions.APIException) -> str:
    return next((code for known, code in _CODES.items() if isinstance(exc, known)), exc.default_code)


def _message(exc: exceptions.APIException) -> object:
    if isinstance(exc, exceptions.NotFound):
        return gettext("There is nothing here.")
    # simplejwt answers with a dictionary of internals; people need one sentence.
    return exc.detail["detail"] if isinstance(exc.detail, dict) and "detail" in exc.detail else exc.detail


_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.ParseError: "malformed",
    exceptions.NotAcceptable: "not_acceptable",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 400, "malformed", gettext_lazy("The request cannot be understood."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 403, "forbidden", gettext_lazy("You may not do this."))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(request, 403, "forbidden", gettext_lazy("This page is too old. Please load it again and repeat."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, 404, "not_found", gettext_lazy("There is nothing here."))


def too_large(request: HttpRequest) -> HttpResponse:
    return answer(request, 413, "too_large", gettext_lazy("The request is too large."))


def server_error(request: HttpRequest) -> HttpResponse:
    message = gettext_lazy("Something went wrong on our side. Please try again.")
    return answer(request, 500, "server_error", message)


def answer(request: HttpRequest, status: int, code: str, message: Promise | str) -> HttpResponse:
    """The error shape in the caller's language, or a page for who asks for one. It needs no database, nor a file."""
    with override(get_language_from_request(request)):
        if not _wants_page(request):
            return JsonResponse(body(code, message), status=status)
        words = {"name": gettext("Avicenna"), "message": message, "home": gettext("To the first page")}
        page = render_to_string("avicenna/error.html", {**words, "style": _STYLE})
    return HttpResponse(page, status=status, headers={"Content-Security-Policy": _POLICY})


def _wants_page(request: HttpRequest) -> bool:
    return not request.path.startswith("/api/") and "text/html" in request.META.get("HTTP_ACCEPT", "")


_STYLE = mark_safe(  # written here
    "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1.5rem;text-align:center}"
)
_STYLE_HASH = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
