"""Access and refresh tokens that carry the id of their session."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TypedDict
from uuid import UUID

from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import Session
from avicenna.prepared import Parameter, Prepared

SESSION_CLAIM = "sid"

# With its user; every request asks it.
SESSION = Prepared(
    lambda: Session.objects.select_related("user").filter(pk=Parameter("pk", Session._meta.get_field("id")))
)


class TokenPair(TypedDict):
    access: str
    refresh: str


class PresentedRefreshToken(RefreshToken):
    """A refresh token as a client sends it; what it means that it was used before, `actions.renew` decides."""

    def check_blacklist(self) -> None:
        pass


def issue(session: Session, *, renewed_for: str = "") -> TokenPair:
    """With a new refresh token, the newest of the session from now on; `renewed_for` see `Session`."""
    refresh = RefreshToken.for_user(session.user)
    session.newest_refresh, session.renewed_for = refresh["jti"], renewed_for
    session.save(update_fields=["newest_refresh", "renewed_for"])
    return _pair(session, refresh)


def issue_again(session: Session) -> TokenPair:
    """The newest refresh token of the session once more, with a new access token."""
    # What is stored names no session: who can read the table cannot use it.
    stored = OutstandingToken.objects.get(jti=session.newest_refresh)
    return _pair(session, RefreshToken(stored.token))  # type: ignore[arg-type]


def _pair(session: Session, refresh: RefreshToken) -> TokenPair:
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
    session = SESSION.first(pk=session_id(token))
    if session is None or not session.is_live:
        return None
    session.access_until = datetime.fromtimestamp(token["exp"], UTC)
    return session
