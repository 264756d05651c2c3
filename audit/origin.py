"""Where somebody acts from, for as long as they do: a request, a socket. Nowhere at the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_network

from django.db.models import Model

from audit.models import Action, Kind


@dataclass(frozen=True)
class Seen:
    """Rows that an answer shows; `as_list`: to be told once a patient and not once a row."""

    rows: Sequence[Model]
    action: Action
    kind: Kind | None
    as_list: bool


@dataclass
class Origin:
    """`session` is asked late: a request is authenticated after it has begun. `seen` is what its answer shows."""

    network: str = ""
    request_id: str = ""
    session: Callable[[], str] = str
    seen: list[Seen] = field(default_factory=list)


NOWHERE = Origin()
current: ContextVar[Origin | None] = ContextVar("origin", default=None)


@lru_cache(maxsize=1_000)
def network_of(address: str) -> str:
    """Of an IPv4 address its /24, of an IPv6 address its /48: from which house, not from which device."""
    if not address:
        return ""
    return str(ip_network(f"{address}/{48 if ':' in address else 24}", strict=False))
