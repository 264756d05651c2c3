from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from accounts.models import Session, User
from audit import trail
from audit.origin import Origin, current, network_of
from audit.subjects import is_about_a_patient
from avicenna.logging import request_id


class AuditMiddleware:
    """Says to the trail where a request comes from, and writes down what its answer shows before that leaves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        origin = Origin(
            network=network_of(request.META.get("REMOTE_ADDR", "")),
            request_id=request_id.get(),
            session=lambda: _session(request),
        )
        token = current.set(origin)
        try:
            response = self.get_response(request)
        finally:
            current.reset(token)
        if origin.seen and response.status_code < 400:
            trail.keep_seen(origin, request.user if isinstance(request.user, User) else None)
        return response

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """The admin: whatever page, of whichever model, shows the rows of a list or one object."""
        context: dict[str, Any] = response.context_data or {}
        if "cl" in context:
            trail.listed([row for row in context["cl"].result_list if is_about_a_patient(row)])
        shown = context.get("original") or context.get("object")
        if isinstance(shown, Model) and is_about_a_patient(shown):
            trail.read(shown)
        return response


def _session(request: HttpRequest) -> str:
    """The API's session; of the admin's a digest: who can read the trail must not be able to use it."""
    session = getattr(request, "auth", None)  # put there by the API's authentication
    if isinstance(session, Session):
        return str(session.pk)
    key = request.session.session_key
    return f"admin:{sha256(key.encode()).hexdigest()[:24]}" if key else ""
