"""What every answer tells the browser about itself; a view that needs another policy sets its own."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

NOTHING_ELSE = "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
# Of pages that set none themselves, the admin above all: everything from this host, nothing inline, nothing evaluated.
PAGE_POLICY = f"default-src 'self'; img-src 'self' data:; form-action 'self'; {NOTHING_ELSE}"
# Of what is no page: opened by itself it can do nothing. Pictures bring their own styles.
DATA_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; {NOTHING_ELSE}"

NOBODY_NEEDS = ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone", "payment", "usb")
HEADERS = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in NOBODY_NEEDS),
    "Cross-Origin-Resource-Policy": "same-origin",
}


class HeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")  # health data stays out of every cache
        return response
