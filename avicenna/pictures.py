"""Pictures as SVG over HTTP: in the caller's language and theme, sent again only when they changed."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

# A picture brings its styles; opened on its own it is a document, which may do nothing else.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; sandbox"


class PictureQuerySerializer(serializers.Serializer[Any]):
    lang = serializers.ChoiceField(choices=["fa", "en"], required=False, help_text="else that of Accept-Language")
    theme = serializers.ChoiceField(choices=["light", "dark"], default="light")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"lang": "fa" if get_language() == "fa" else "en"} | attrs


class PictureView(APIView):
    """A view that answers `picture(…)`; errors are JSON."""

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Content-Security-Policy": POLICY}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A page asks for pictures only; what it gets is one, or an error in JSON."""
        return super().perform_content_negotiation(request, force=True)


def picture(request: HttpRequest, svg: bytes, *, language: str, cache_control: str) -> HttpResponseBase:
    """304 where the caller has it already."""
    headers = {
        "Cache-Control": cache_control,
        "Content-Language": language,
        "Content-Security-Policy": POLICY,
        "ETag": f'"{sha256(svg).hexdigest()[:32]}"',
    }
    response = HttpResponse(svg, content_type="image/svg+xml", headers=headers)
    return get_conditional_response(request, etag=headers["ETag"], response=response) or response
