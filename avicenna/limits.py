"""How often one may call, as data: every rate limit of the API. `docs/security.md` shows this table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """So many calls, written as `10/m`, from one address (of IPv6 the /64 it lies in), or by one user."""

    what: str
    by_address: str | None = None
    by_user: str | None = None
    # Without the cache nobody counts: what guards passwords is closed then, everything else stays open.
    closed_without_cache: bool = False


LIMITS = {
    "register": Limit("a registration", by_address="10/h", closed_without_cache=True),
    "token": Limit("a sign-in", by_address="30/m", closed_without_cache=True),
    "refresh": Limit("a renewal of tokens", by_address="300/m"),
    "password": Limit("a change of one's password", by_user="10/h", closed_without_cache=True),
    "sessions": Limit("ending a session", by_user="60/m"),
    "export": Limit("everything about oneself", by_user="10/h"),
    "consents": Limit("a change of consents", by_user="30/h"),
    "erasure": Limit("an erasure", by_user="10/h", closed_without_cache=True),
    "break-glass": Limit("opening a record in an emergency", by_user="10/h", closed_without_cache=True),
    "push": Limit("where a device can be told", by_user="30/h"),
    "tickets": Limit("a ticket for a socket", by_user="120/m"),
    "feedback": Limit("a report", by_user="120/m"),
    "feedback-batch": Limit("a batch of reports", by_user="20/m"),
    "recalculate": Limit("bringing scores up to date", by_user="20/m"),
    "predictions": Limit("anything about predictions", by_user="100/m"),
    "accuracy": Limit("the accuracy of predictions", by_user="60/m"),
}
