"""Access and refresh tokens that carry the id of their session."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TypedDict
from uuid import UUID

from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import Session
from avicenna.prepared import Parameter, Prepared

SESSION_CLAIM = "sid"

# Every request asks it.
_session = Prepared(
    lambda: Session.objects.select_related("user").filter(pk=Parameter("pk", Session._meta.get_field("id")))
)


class TokenPair(TypedDict):
    access: str
    refresh: str


def issue(session: Session) -> TokenPair:
    refresh = RefreshToken.for_user(session.user)
    refresh[SESSION_CLAIM] = str(session.pk)
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def session_id(token: Token) -> UUID:
    try:
        return UUID(token[SESSION_CLAIM])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise TokenError("The token names no session.") from error


@lru_cache(maxsize=1_000)
def _verified(raw: bytes | str) -> AccessToken:
    """Its signature and claims do not change while a client goes on sending it; only its time runs out."""
    return AccessToken(raw)  # type: ignore[arg-type]


def live_session(raw: bytes | str) -> Session | None:
    """The session of an access token with its user, or None once either ended. Raises `TokenError`."""
    token = _verified(raw)
    token.check_exp(current_time=timezone.now())
    session = _session.first(pk=session_id(token))
    if session is None or not session.is_live:
        return None
    session.access_until = datetime.fromtimestamp(token["exp"], UTC)
    return session
