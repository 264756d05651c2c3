"""Who may open a socket: a one-time ticket, or a native client's bearer token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from channels.db import database_sync_to_async
from django.conf import settings
from django.http.request import validate_host
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from accounts import tokens
from accounts.models import Session
from diagnoses.models import Diagnosis
from realtime.actions import redeem_ticket

BAD_MESSAGE, NOT_SIGNED_IN, NOT_ALLOWED = 4400, 4401, 4403
TOO_SLOW, TOO_LARGE, TOO_MANY = 4008, 4413, 4429


class Refused(Exception):
    """Carries the close code and the code of the error frame before it."""

    def __init__(self, close_code: int, code: str) -> None:
        super().__init__(code)
        self.close_code = close_code
        self.code = code


@dataclass(frozen=True)
class Handshake:
    diagnosis_id: UUID
    since: int
    ticket: str
    bearer: str

    @classmethod
    def of(cls, scope: dict[str, Any], diagnosis_id: UUID) -> Handshake:
        """Raises `Refused` for a query that no client of ours sends."""
        query = parse_qs(scope["query_string"].decode("utf-8", "replace"))
        if "token" in query and not settings.WEBSOCKET_ALLOW_TOKEN_IN_QUERY:
            raise Refused(BAD_MESSAGE, "token_in_query")
        bearer = header(scope, b"authorization").removeprefix("Bearer ") or query.get("token", [""])[0]
        return cls(diagnosis_id, _since(query.get("since", ["0"])[0]), query.get("ticket", [""])[0], bearer)


def _since(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Refused(BAD_MESSAGE, "bad_since")
    return int(text)


def header(scope: dict[str, Any], name: bytes) -> str:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("latin-1") for key, value in headers if key == name), "")


def language(scope: dict[str, Any]) -> str:
    return "fa" if header(scope, b"accept-language").lower().startswith("fa") else "en"


def origin_is_ours(scope: dict[str, Any]) -> bool:
    """Browsers always name their origin; a client without one is not a browser."""
    origin = header(scope, b"origin")
    if not origin or origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    return validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS)


def _admit(handshake: Handshake) -> Session:
    """The session that opens the socket. Raises `Refused`."""
    session = _session(handshake)
    if session is None:
        raise Refused(NOT_SIGNED_IN, "not_authenticated")
    if not Diagnosis.objects.visible_to(session.user).filter(pk=handshake.diagnosis_id).exists():
        raise Refused(NOT_ALLOWED, "not_allowed")
    return session


admit: Callable[[Handshake], Awaitable[Session]] = database_sync_to_async(_admit)


def _session(handshake: Handshake) -> Session | None:
    if handshake.ticket:
        return redeem_ticket(secret=handshake.ticket, diagnosis_id=handshake.diagnosis_id)
    if not handshake.bearer:
        return None
    try:
        return tokens.live_session(AccessToken(handshake.bearer))  # type: ignore[arg-type]
    except TokenError:
        return None
