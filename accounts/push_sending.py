"""Web push: a message to a device that says there is something new, and never what.

The clinic's server writes only to the push services of the browsers (`PUSH_SERVICES`): the address comes from outside,
and whoever could choose it freely could make the server call anything within its own network. For the same reason it
follows no redirect, and connects only to an address of the open internet, whatever a name resolves to.
"""

from __future__ import annotations

import json
import socket
from ipaddress import ip_address
from typing import Any

import requests
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext
from pywebpush import WebPushException, webpush
from requests.adapters import HTTPAdapter
from rest_framework import status
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from accounts.models import PushSubscription
from accounts.push import vapid_key
from avicenna.proxies import plain

# A device that was away longer finds what is new when it is opened.
KEPT_SECONDS = 24 * 60 * 60
PATIENCE_SECONDS = 10


class Gone(Exception):
    """The push service does not know the device any more."""


class NotSent(Exception):
    """This time; the next may go well."""


def send(device: PushSubscription) -> None:
    """Raises `Gone` and `NotSent`."""
    with translation.override(device.session.user.language):
        message = json.dumps({"title": "Avicenna", "body": gettext("There is something new for you.")})
    with requests.Session() as session:
        session.max_redirects = 0
        session.mount("https://", PublicAdapter())
        try:
            webpush(
                device.subscription,
                message,
                vapid_private_key=vapid_key(settings.VAPID_PRIVATE_KEY),
                vapid_claims={"sub": settings.VAPID_SUBJECT},
                ttl=KEPT_SECONDS,
                timeout=PATIENCE_SECONDS,
                headers={"Topic": "news"},  # a newer one takes the place of one that still waits
                requests_session=session,
            )
        except WebPushException as error:
            answered = None if error.response is None else error.response.status_code
            if answered in (status.HTTP_404_NOT_FOUND, status.HTTP_410_GONE):
                raise Gone from None
            raise NotSent(f"the push service answered {answered}") from None
        except requests.RequestException as error:
            raise NotSent(type(error).__name__) from None  # its text holds the address


class _PublicConnection(HTTPSConnection):
    """Connects to the very address that was looked at: a name that resolves anew could point inside by then."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        if f"https://{self.host}:{self.port}" in settings.PUSH_SERVICES:
            return super()._new_conn()
        self._dns_host = public_address(name, self.port or 443)
        try:
            return super()._new_conn()
        finally:
            self._dns_host = name  # the certificate is still asked for by name


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class PublicAdapter(HTTPAdapter):
    """Where the environment names a proxy for https, that proxy decides what may be reached."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _PublicPool}


def public_address(name: str, port: int) -> str:
    """Where `name` lies on the open internet. Raises `NotSent` when it has no address, or one that lies elsewhere."""
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotSent("the push service has no address") from None
    addresses = [plain(str(address[0])) for *_, address in found]
    if not all(map(_is_public, addresses)):
        raise NotSent("the push service lies in a private network")
    return addresses[0]


def _is_public(address: str) -> bool:
    parsed = ip_address(address)
    return parsed.is_global and not parsed.is_multicast
