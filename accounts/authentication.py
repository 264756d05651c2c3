from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError

from accounts import tokens
from accounts.models import Session, User


class SessionTokenAuthentication(JWTAuthentication):
    """A bearer token whose session has not ended. `request.auth` is the session. One query."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:  # type: ignore[override]
        header = self.get_header(request)
        raw = None if header is None else self.get_raw_token(header)
        if raw is None:
            return None
        return self._open(raw)

    def _open(self, raw: bytes) -> tuple[User, Session]:
        try:
            session = tokens.live_session(raw)
        except (TokenError, UnicodeDecodeError) as error:
            raise SignInAgain from error
        if session is None:
            raise SignInAgain
        return session.user, session


class SignInAgain(AuthenticationFailed):
    default_detail = _("Your session has ended. Please sign in again.")
    default_code = "not_authenticated"


class SessionTokenScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    target_class = "accounts.authentication.SessionTokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
