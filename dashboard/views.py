from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.gzip import gzip_page
from django.views.generic import TemplateView

from dashboard import shell


# The page names some seventy files; it holds no secret that its length could tell.
@method_decorator(gzip_page, name="dispatch")
class DashboardView(TemplateView):
    """The shell of the dashboard: it holds no data, the page fetches everything over the API."""

    template_name = "dashboard/index.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = content_policy(request)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """`demo` offers the sign-ins of the demonstration clinic, which exist only where DEBUG is on."""
        files = {"styles": shell.STYLES, "modules": shell.MODULES}
        return super().get_context_data(demo=settings.DEBUG, ground=shell.GROUND, **files, **kwargs)


class ServiceWorkerView(View):
    """At the root, because a worker serves what lies below it. Asked for anew on each visit."""

    def get(self, request: HttpRequest) -> HttpResponse:
        headers = {
            "Cache-Control": "no-cache",
            "Service-Worker-Allowed": "/",
            "Content-Security-Policy": content_policy(request),
        }
        return HttpResponse(shell.service_worker(), content_type="text/javascript; charset=utf-8", headers=headers)


class ManifestView(View):
    """In the language of `?language=`, which the page has chosen, else in the browser's."""

    def get(self, request: HttpRequest) -> JsonResponse:
        asked = request.GET.get("language")
        language = asked if asked in dict(settings.LANGUAGES) else get_language()
        headers = {"Cache-Control": "no-cache"}
        return JsonResponse(shell.manifest(str(language)), content_type="application/manifest+json", headers=headers)


def content_policy(request: HttpRequest) -> str:
    """Everything from this host and nothing inline: the page holds tokens."""
    # Safari before 15.4 does not count the socket of the same host as 'self'.
    sockets = f"{'wss' if request.is_secure() else 'ws'}://{request.get_host()}"
    return (
        f"default-src 'self'; connect-src 'self' {sockets}; worker-src 'self'; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
