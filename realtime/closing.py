"""How a socket ends: the close codes, and what is said before."""

from __future__ import annotations

from enum import IntEnum

from django.utils.translation import gettext as _


class CloseCode(IntEnum):
    RESTARTING = 1012
    TOO_SLOW = 4008
    BAD_MESSAGE = 4400
    NOT_SIGNED_IN = 4401
    NOT_ALLOWED = 4403
    TOO_LARGE = 4413
    TOO_MANY = 4429


class Refused(Exception):
    """Ends a socket with an error frame that carries `code`, then the close code."""

    def __init__(self, close_code: CloseCode, code: str) -> None:
        super().__init__(code)
        self.close_code = close_code
        self.code = code

    @property
    def message(self) -> str:
        """In the active language."""
        return {
            "not_authenticated": _("Your session has ended. Please sign in again."),
            "not_allowed": _("There is nothing here."),
            "too_large": _("The request is too large."),
            "too_many_requests": _("Too many requests."),
            "too_many_sockets": _("Too many connections are open. Please close some."),
            "token_in_query": _("An access token does not belong into the address; ask for a ticket."),
            "unavailable": _("The service is not available for the moment. Please try again."),
        }.get(self.code, _("The request cannot be understood."))


def not_signed_in() -> Refused:
    return Refused(CloseCode.NOT_SIGNED_IN, "not_authenticated")


def not_allowed() -> Refused:
    """Also for a diagnosis that does not exist: the answer does not tell which."""
    return Refused(CloseCode.NOT_ALLOWED, "not_allowed")
