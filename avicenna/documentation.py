"""The pages to read the API's schema: everything they load comes from this host."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.views import APIView

# Both pages put their styles into the document; Redoc searches in a worker that it builds from a blob, and asks an
# outside host for its maker's logo, which is left away when the policy refuses it.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class OpenBySetting(APIView):
    """Where API_DOCS is off, there is nothing here."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if not settings.API_DOCS:
            raise Http404
        super().initial(request, *args, **kwargs)


class SchemaView(OpenBySetting, SpectacularAPIView):
    pass


class PageView(OpenBySetting):
    # Without OPTIONS: its answer is data, which a page has no template for.
    http_method_names = ["get", "head"]

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Content-Security-Policy": POLICY}


class SwaggerView(PageView, SpectacularSwaggerSplitView):
    """Its script comes from an address of its own, so that none stands in the page."""


class RedocView(PageView, SpectacularRedocView):
    template_name = "avicenna/redoc.html"
