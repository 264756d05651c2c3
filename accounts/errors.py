"""What the actions here refuse, and why; `second_factor` names what it refuses itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from rest_framework import status

from avicenna.errors import ActionError


class EmailTaken(ActionError):
    code = "email_taken"
    message = _("This email is already registered.")


class WrongCredentials(ActionError):
    code = "wrong_credentials"
    message = _("The email or the password is wrong.")
    status = status.HTTP_401_UNAUTHORIZED


class TokenRefused(ActionError):
    code = "not_authenticated"
    message = _("Your session has ended. Please sign in again.")
    status = status.HTTP_401_UNAUTHORIZED


class SessionReused(TokenRefused):
    code = "session_reused"
    message = _("This session was used in two places and was ended for your safety. Please sign in again.")


class WeakPassword(ActionError):
    code = "invalid"
    message = _("The password is too easy to guess.")

    def __init__(self, field: str, reasons: list[str]) -> None:
        super().__init__(field=field, reasons=reasons)


class WrongPassword(ActionError):
    code = "wrong_password"
    message = _("This is not your present password.")
