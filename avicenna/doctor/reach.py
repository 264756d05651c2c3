"""Why a phone cannot connect: what its way to the clinic meets, from name to socket."""

from __future__ import annotations

import json
import socket
import ssl
from urllib.parse import SplitResult, urlsplit

import httpx
from cryptography import x509
from django.conf import settings
from django.http.request import validate_host
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from avicenna.doctor.findings import Finding, Findings, error, fine, warning
from avicenna.doctor.machine import of_certificate

PART = "reach"
SECONDS = 5.0
LOCAL = {"127.0.0.1", "localhost", "[::1]"}
# A diagnosis that does not exist, without a ticket: whoever answers it in words is the stream itself.
SOCKET_PATH = "/ws/diagnoses/00000000-0000-0000-0000-000000000000/?since=0"
UNTRUSTED = ssl.create_default_context()
UNTRUSTED.check_hostname, UNTRUSTED.verify_mode = False, ssl.CERT_NONE  # only to see what is behind a bad certificate


def examine_what_is_let_in() -> Findings:
    """What the settings alone keep out."""
    if not set(settings.ALLOWED_HOSTS) - LOCAL:
        yield warning(
            PART, "only this machine may call", "ALLOWED_HOSTS must hold the name that phones use, like clinic.example."
        )
    if settings.SECURE_SSL_REDIRECT and not settings.BEHIND_TLS_PROXY:
        yield error(
            PART,
            "every request is redirected to https, also those that came by it",
            "BEHIND_TLS_PROXY=1, and let the proxy set X-Forwarded-Proto itself.",
        )


def examine_url(url: str, origin: str = "") -> Findings:
    """Goes the way of a phone to `url`. `origin`: where a page on another host is from."""
    target = urlsplit(url.rstrip("/"))
    yield from _of_name(target)
    if target.scheme == "http" and not settings.DEBUG:
        yield warning(PART, "the address is not https", "Phones install the page, and keep it, only over https.")
    trusted = ssl.create_default_context()
    if target.scheme == "https":
        holds, findings = _of_certificate(target)
        yield from findings
        trusted = trusted if holds else UNTRUSTED
    with httpx.Client(verify=trusted, timeout=SECONDS, trust_env=False) as http:
        answered, findings = _of_http(http, target.geturl())
        yield from findings
        if not answered:
            return
        if origin:
            yield from _of_origin(http, target.geturl(), origin)
    yield from _of_socket(target, origin or target.geturl(), trusted)


def _of_name(target: SplitResult) -> Findings:
    host = target.hostname or ""
    if not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        yield error(
            PART, f"{host} is not in ALLOWED_HOSTS", "Add it: requests to it are refused, and its pages' sockets."
        )


def _of_certificate(target: SplitResult) -> tuple[bool, list[Finding]]:
    """Whether a phone trusts it."""
    address = (target.hostname or "", target.port or 443)
    try:
        with (
            socket.create_connection(address, timeout=SECONDS) as plain,
            UNTRUSTED.wrap_socket(plain, server_hostname=address[0]) as shown,
        ):
            found = [of_certificate(x509.load_der_x509_certificate(shown.getpeercert(True) or b"").not_valid_after_utc)]
        with socket.create_connection(address, timeout=SECONDS) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname=address[0]).close()
    except ssl.SSLCertVerificationError as problem:
        advice = "The proxy must show the whole chain of a certificate for this name from a known authority."
        return False, [*found, error("certificate", f"phones refuse it: {problem.verify_message}", advice)]
    except (OSError, ValueError):
        return True, []  # nobody is there, or speaks no TLS: said by the request
    return True, found


def _of_http(http: httpx.Client, url: str) -> tuple[bool, list[Finding]]:
    """Whether Avicenna itself answers."""
    try:
        health = http.get(f"{url}/health/ready")
        me = http.get(f"{url}/api/me")
    except httpx.TransportError as problem:
        advice = "Does the name resolve, is the port open (firewall), does the proxy run?"
        return False, [error(PART, f"nobody answers at {url} ({type(problem).__name__})", advice)]
    if health.status_code in (502, 503, 504) and "parts" not in health.text:
        advice = "It does not reach gunicorn: does that run?"
        return False, [error(PART, f"the proxy answers {health.status_code}", advice)]
    if health.status_code == 400:
        advice = "The server there refuses the host name: its ALLOWED_HOSTS, or the proxy passes another Host."
        return False, [error(PART, "it answers 400", advice)]
    if me.is_redirect and me.headers.get("Location", "").startswith(url.replace("http://", "https://")):
        if url.startswith("https://"):
            advice = "BEHIND_TLS_PROXY=1, and let the proxy set X-Forwarded-Proto: it does not know that it is https."
            return False, [error(PART, "it redirects to itself for ever", advice)]
        return True, [fine(PART, "it redirects to https")]
    if me.status_code != 401:
        advice = "Something else answers there: look at the proxy's routes for /api/ and /health."
        return False, [error(PART, f"/api/me answers {me.status_code} instead of 401", advice)]
    down = [name for name, part in health.json()["parts"].items() if part["state"] != "ok"]
    if down:
        return True, [error(PART, f"it answers, but without its {' and '.join(down)}", "See those findings there.")]
    return True, [fine(PART, "HTTP reaches Avicenna, and it is ready")]


def _of_origin(http: httpx.Client, url: str, origin: str) -> Findings:
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    asked["Access-Control-Request-Headers"] = "authorization"
    allowed = http.options(f"{url}/api/me", headers=asked).headers.get("Access-Control-Allow-Origin")
    if allowed in (origin, "*"):
        yield fine(PART, f"pages from {origin} may call")
    else:
        yield error(PART, f"pages from {origin} may not call", "Add it to CORS_ALLOWED_ORIGINS, exactly so.")


def _of_socket(target: SplitResult, origin: str, trusted: ssl.SSLContext) -> Findings:
    address = target.geturl().replace("http", "ws", 1) + SOCKET_PATH
    tls = trusted if target.scheme == "https" else None
    parts = urlsplit(origin)
    try:
        with connect(
            address,
            origin=Origin(f"{parts.scheme}://{parts.netloc}"),
            ssl=tls,
            open_timeout=SECONDS,
            proxy=None,
        ) as stream:
            said = json.loads(stream.recv(timeout=SECONDS))
    except InvalidStatus as problem:
        status = problem.response.status_code
        if status == 403:
            advice = "Its Origin is unknown: CORS_ALLOWED_ORIGINS, or ALLOWED_HOSTS when the page is of this host."
            yield error(PART, f"sockets of pages from {origin} are refused (403)", advice)
        else:
            advice = "The proxy must pass /ws/ to uvicorn with `Upgrade` and `Connection: upgrade` (HTTP/1.1)."
            yield error(PART, f"a socket is answered with {status} instead of 101", advice)
    except (InvalidHandshake, ConnectionClosed, OSError, ValueError, TimeoutError) as problem:
        advice = "Something between cuts sockets: the proxy's timeouts, a firewall, or uvicorn does not run."
        yield error(PART, f"a socket does not open ({type(problem).__name__})", advice)
    else:
        if said.get("data", {}).get("close_code") == 4401:
            yield fine(PART, "a socket reaches the stream, which asks for a ticket")
        else:
            yield error(PART, "a socket opens, but not at the stream", "Look at the proxy's route for /ws/.")
