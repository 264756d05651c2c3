"""What web push takes to be set up: the clinic's key, and what a device may name. Messages go by push_sending.py."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from py_vapid import Vapid02, VapidException


def public_key() -> str | None:
    """What a browser must be told to accept messages from here; None where there is no key."""
    if not settings.VAPID_PRIVATE_KEY:
        return None
    point = vapid_key(settings.VAPID_PRIVATE_KEY).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


@lru_cache(1)
def vapid_key(text: str) -> Vapid02:
    """Raises ValueError."""
    try:
        return Vapid02.from_string(text)
    except (VapidException, ValueError, binascii.Error) as error:
        raise ValueError("VAPID_PRIVATE_KEY is not a private key of P-256 in base64url.") from error


def is_push_service(address: str) -> bool:
    """Whether messages may be sent there: https at a known service, or an origin that the settings name."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    if f"{parts.scheme}://{parts.netloc}" in settings.PUSH_SERVICES:
        return True
    host = parts.hostname or ""
    is_known = any(host == name or host.endswith(f".{name}") for name in settings.PUSH_SERVICES)
    return parts.scheme == "https" and port in (None, 443) and parts.username is None and is_known


def is_public_key(text: str) -> bool:
    """Whether it is a point of P-256, not compressed, in base64url."""
    point = _bytes(text)
    try:
        return len(point) == 65 and bool(EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point))
    except ValueError:
        return False


def is_secret(text: str) -> bool:
    """Whether it is 16 bytes in base64url."""
    return len(_bytes(text)) == 16


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
