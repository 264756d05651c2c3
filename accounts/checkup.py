"""Why a token is not taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import jwt
from django.conf import settings
from django.core.exceptions import ValidationError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from accounts.models import Session
from accounts.tokens import SESSION_CLAIM
from avicenna.doctor.findings import Findings, error, fine, warning

PART = "token"


def examine_token(raw: str) -> Findings:
    """Everything that is wrong with it; nothing of it is said again."""
    raw = raw.strip().removeprefix("Bearer ").strip()
    try:
        claims: dict[str, Any] = jwt.decode(raw, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        yield error(PART, "this is no token", "Copy the whole of it: three parts with two dots between.")
        return
    found = [*_of_signature(raw), *_of_claims(claims), *_of_session(claims)]
    yield from found
    if not found:
        ends = datetime.fromtimestamp(claims["exp"], UTC)
        yield fine(PART, f"an {claims.get('token_type')} token that holds until {ends:%H:%M:%S} UTC")


def _of_signature(raw: str) -> Findings:
    try:
        jwt.decode(
            raw,
            api_settings.SIGNING_KEY,
            algorithms=[api_settings.ALGORITHM],
            options={"verify_exp": False, "verify_aud": False, "verify_iss": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        yield error(
            PART,
            "it was signed with another key, or changed",
            "SECRET_KEY must be the same for every server; after a new one everybody signs in again.",
        )


def _of_claims(claims: dict[str, Any]) -> Findings:
    now = datetime.now(UTC)
    expires = datetime.fromtimestamp(claims.get("exp", 0), UTC)
    if expires <= now:
        yield error(
            PART,
            f"it expired at {expires:%Y-%m-%d %H:%M:%S} UTC",
            "The client renews it with POST /api/auth/token/refresh; with an expired refresh token one signs in again.",
        )
    issued = datetime.fromtimestamp(claims.get("iat", 0), UTC)
    if (issued - now).total_seconds() > 1:
        yield error(PART, "it was issued in the future", "The clocks of the servers differ: see that finding.")
    audience = claims.get("aud")
    if settings.SIMPLE_JWT["AUDIENCE"] not in (audience if isinstance(audience, list) else [audience]):
        yield error(PART, "it is for another audience", "It is of another service: sign in at this one.")
    if claims.get("iss") != settings.SIMPLE_JWT["ISSUER"]:
        yield error(PART, "it is of another issuer", "It is of another service: sign in at this one.")
    if claims.get("token_type") == "refresh":
        yield warning(PART, "it is a refresh token", "It only renews: send the access token with requests.")
        if BlacklistedToken.objects.filter(token__jti=claims.get("jti", "")).exists():
            yield error(PART, "it was used before", "Each refresh token works once: the client must keep the newest.")


def _of_session(claims: dict[str, Any]) -> Findings:
    try:
        session = Session.objects.select_related("user").filter(pk=str(claims.get(SESSION_CLAIM))).first()
    except ValidationError:  # what it names is no id
        session = None
    if session is None:
        yield error(PART, "its session is not in this database", "Another database, or a restored one: sign in again.")
    elif session.ended_at is not None:
        yield error(PART, f"its session ended at {session.ended_at:%Y-%m-%d %H:%M:%S} UTC", "Sign in again.")
    elif not session.user.is_active:
        yield error(PART, "its user is not active", "Staff can activate the user again in the admin.")
