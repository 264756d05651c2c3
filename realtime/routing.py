from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from realtime.consumers import diagnosis_stream
from realtime.wire import Send


async def nothing_here(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """An address without a stream answers 403 instead of an exception in the server's log."""
    await send({"type": "websocket.close"})


# Django's own path objects; Channels hands them ASGI applications instead of views.
websocket_application = URLRouter(
    [
        path("ws/diagnoses/<uuid:diagnosis_id>/", diagnosis_stream),  # type: ignore[arg-type]
        re_path(r"", nothing_here),  # type: ignore[arg-type]
    ]
)
