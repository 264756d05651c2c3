"""Who may open a socket: a one-time ticket, or a native client's bearer token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.conf import settings
from django.http.request import validate_host
from rest_framework_simplejwt.exceptions import TokenError

from accounts import tokens
from accounts.models import Session
from audit.origin import network_of
from avicenna import proxies
from realtime.actions import redeem_ticket
from realtime.closing import CloseCode, Refused, not_allowed, not_signed_in
from realtime.deliveries import Watching, watch
from realtime.lookups import visible_in
from realtime.models import RightsClock
from realtime.offload import offloaded
from realtime.rights import Grant


@dataclass(frozen=True)
class Handshake:
    diagnosis_id: UUID
    since: int
    ticket: str
    bearer: str
    address: str = ""

    @classmethod
    def of(cls, scope: dict[str, Any], diagnosis_id: UUID) -> Handshake:
        """Raises `Refused` for a query that no client of ours sends."""
        query = parse_qs(scope["query_string"].decode("utf-8", "replace"))
        if "token" in query and not settings.WEBSOCKET_ALLOW_TOKEN_IN_QUERY:
            raise Refused(CloseCode.BAD_MESSAGE, "token_in_query")
        bearer = header(scope, b"authorization").removeprefix("Bearer ") or query.get("token", [""])[0]
        return cls(
            diagnosis_id,
            _since(query.get("since", ["0"])[0]),
            query.get("ticket", [""])[0],
            bearer,
            client_address(scope),
        )


def _since(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Refused(CloseCode.BAD_MESSAGE, "bad_since")
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


def client_address(scope: dict[str, Any]) -> str:
    client: tuple[str, int] | None = scope.get("client")
    forwarded = [value.decode("latin-1") for key, value in scope["headers"] if key == b"x-forwarded-for"]
    return proxies.client_address(client[0] if client else "", ",".join(forwarded))


def _admit(handshake: Handshake) -> tuple[Grant, Watching]:
    """What the client may do, and from where on it watches. Raises `Refused`."""
    rights = RightsClock.newest()  # before the facts, so that a change in between is looked at again
    session = _opened_by(handshake)
    if session is None:
        raise not_signed_in()
    diagnosis, lives = visible_in(session, handshake.diagnosis_id)
    if not lives:
        raise not_signed_in()
    if diagnosis is None:
        raise not_allowed()
    network = network_of(handshake.address)
    watching = watch(
        session.user,
        session=session.pk,
        network=network,
        patient=diagnosis.patient_id,
        diagnosis=diagnosis.pk,
        since=handshake.since,
        head=diagnosis.head,
    )
    seen_until = diagnosis.seen_until  # type: ignore[attr-defined]  # annotated there
    grant = Grant(session.user_id, session.pk, diagnosis.pk, session.access_until, rights, seen_until)
    return grant, watching


admit = offloaded(_admit)


def _opened_by(handshake: Handshake) -> Session | None:
    if handshake.ticket:
        return redeem_ticket(secret=handshake.ticket, diagnosis_id=handshake.diagnosis_id)
    return _behind_token(handshake.bearer) if handshake.bearer else None


def _behind_token(raw: str) -> Session | None:
    try:
        return tokens.live_session(raw)
    except TokenError:
        return None


def _extend(grant: Grant, raw: str) -> Grant:
    """The same grant for as long as a new token of the same session holds. Raises `Refused`."""
    rights = RightsClock.newest()
    session = _behind_token(raw)
    if session is None or session.pk != grant.session_id:
        raise not_signed_in()
    return replace(grant, access_until=session.access_until, rights=rights)


extend = offloaded(_extend)
