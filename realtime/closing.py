"""How a socket ends: the close codes, and what is said before."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from django.utils.translation import gettext as _


class CloseCode(IntEnum):
    """Each with what it means and what a client does about it."""

    meaning: str
    advice: str

    def __new__(cls, value: int, meaning: str, advice: str) -> Self:
        code = int.__new__(cls, value)
        code._value_ = value
        code.meaning = meaning
        code.advice = advice
        return code

    RESTARTING = 1012, "the server restarts, or its database does not answer", "reconnect with `since`, with back-off"
    TOO_SLOW = 4008, "you did not read for too long", "reconnect with `since`"
    BAD_MESSAGE = 4400, "a frame or an address that cannot be understood", "do not reconnect: it is a bug"
    NOT_SIGNED_IN = (
        4401,
        "not signed in, the session ended, the token expired, or the ticket was used or too old",
        "fetch a new ticket; if that answers 401, sign in again",
    )
    NOT_ALLOWED = 4403, "not allowed (any more), or there is no such diagnosis", "do not reconnect"
    TOO_LARGE = (
        4413,
        "a frame of more than 64 KiB (of more than 128 KiB: 1009, without an error frame)",
        "do not reconnect: it is a bug",
    )
    TOO_MANY = (
        4429,
        "more than 100 frames in a minute, 20 sockets of one user, or too many handshakes from one address",
        "close sockets that nobody looks at; reconnect after a minute",
    )


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
