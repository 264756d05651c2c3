"""`/metrics`, for Prometheus: of this process, or of all that share its PROMETHEUS_MULTIPROC_DIR."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from avicenna.metric_files import forget_the_dead, shared_folder
from avicenna.metrics import websocket_connections
from avicenna.surroundings import SURROUNDINGS

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def export(request: HttpRequest) -> HttpResponse:
    """Open while debugging, else only with `Authorization: Bearer METRICS_TOKEN`."""
    if not may_read(request.headers.get("Authorization", "")):
        return HttpResponseNotFound()
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def may_read(authorization: str) -> bool:
    token = settings.METRICS_TOKEN
    given = authorization.removeprefix("Bearer ")
    return bool(settings.DEBUG or (token and secrets.compare_digest(given.encode(), token.encode())))


def exposition() -> bytes:
    """Every metric in Prometheus's text format."""
    return generate_latest(_registry())


def _registry() -> CollectorRegistry:
    if (folder := shared_folder()) is None:
        return REGISTRY
    forget_the_dead()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    for collector in (websocket_connections, *SURROUNDINGS):
        registry.register(collector)
    return registry


def serve_metrics(port: int) -> None:
    """For a process without HTTP: answers at every address from a thread until it ends; with the same token."""
    server = make_server("", port, _application, handler_class=_Silent)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def _application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/metrics" or not may_read(environ.get("HTTP_AUTHORIZATION", "")):
        start_response("404 Not Found", [])
        return []
    close_old_connections()
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
    return [exposition()]


class _Silent(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_request(self, *args: Any) -> None:
        pass
