from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

STATIC = Path(__file__).resolve().parent / "static"
# The order of the cascade.
STYLES = [f"dashboard/styles/{name}.css" for name in ("tokens", "base", "controls", "frame", "parts", "screens")]
# Named in the page, so that the browser asks for all at once and not for each when another has named it.
MODULES = sorted(
    str(path.relative_to(STATIC))
    for path in STATIC.rglob("*.js")
    if path.name != "first.js"  # a script
)


class DashboardView(TemplateView):
    """The shell of the dashboard: it holds no data, the page fetches everything over the API."""

    template_name = "dashboard/index.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = content_policy(request)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """`demo` offers the sign-ins of the demonstration clinic, which exist only where DEBUG is on."""
        return super().get_context_data(demo=settings.DEBUG, styles=STYLES, modules=MODULES, **kwargs)


def content_policy(request: HttpRequest) -> str:
    """Everything from this host and nothing inline: the page holds tokens."""
    # Safari before 15.4 does not count the socket of the same host as 'self'.
    sockets = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    return (
        f"default-src 'self'; connect-src 'self' {sockets}; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
