"""Whose request it is, behind proxies: only what a proxy of ours says about the client is believed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Network = IPv4Network | IPv6Network

# Whoever reaches a Unix socket is on this machine.
LOCAL = "127.0.0.1"
SAID_BY_PROXIES = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT")


def client_address(peer: str, forwarded_for: str) -> str:
    """The nearest address that is no proxy of ours (`TRUSTED_PROXIES`), from X-Forwarded-For read from its right end.

    What stands further left was said by the client itself.
    """
    address = plain(peer) or LOCAL
    for hop in reversed(forwarded_for.split(",")):
        before = plain(hop) if is_proxy(address) else ""
        if not before:
            return address
        address = before
    return address


def address_of(request: HttpRequest) -> str:
    """The client's, once `ClientAddressMiddleware` has run."""
    return request.META.get("REMOTE_ADDR") or LOCAL


def is_proxy(address: str) -> bool:
    return _is_within(address, tuple(settings.TRUSTED_PROXIES))


@lru_cache(maxsize=1_000)
def _is_within(address: str, networks: tuple[Network, ...]) -> bool:
    return any(ip_address(address) in network for network in networks)


@lru_cache(maxsize=1_000)
def plain(text: str) -> str:
    """An address in its one spelling, IPv4 within IPv6 as IPv4; empty for what is none."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


class ClientAddressMiddleware:
    """Puts the client's address into REMOTE_ADDR, where everything looks, and drops what a stranger forwards."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        peer = plain(meta.get("REMOTE_ADDR", "")) or LOCAL
        if is_proxy(peer):
            meta["REMOTE_ADDR"] = client_address(peer, meta.get("HTTP_X_FORWARDED_FOR", ""))
        else:
            meta["REMOTE_ADDR"] = peer
            for name in SAID_BY_PROXIES:
                meta.pop(name, None)
        return self.get_response(request)
