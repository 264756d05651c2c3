"""What is kept of a device: a name its owner recognizes, and a digest of where it signed in from."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from django.utils.crypto import salted_hmac

# The first that fits: most browsers also name those they are like.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "Mac",
    "Linux": "Linux",
}


def device_name(given: str, user_agent: str) -> str:
    """What a native client calls itself, else browser and system without versions, as in `Firefox · Android`."""
    text = given or user_agent
    if "Mozilla/" not in text:
        return given[:200]
    named = [next((name for token, name in names.items() if token in text), "") for names in (BROWSERS, SYSTEMS)]
    return " · ".join(filter(None, named))


def address_digest(address: str) -> str:
    """Tells whether an account knows an address without keeping the address: the key is not in the database.

    Of IPv6 it is the /64, which a household shares and a device changes within.
    """
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        found = ip_network(f"{found}/64", strict=False).network_address
    return salted_hmac("accounts.devices", str(found), algorithm="sha256").hexdigest()
