from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from realtime.consumers import diagnosis_stream
from realtime.outbox import Send


async def nothing_here(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """An address without a stream answers 403 instead of an exception in the server's log."""
    await send({"type": "websocket.close"})


websocket_application = URLRouter(
    [path("ws/diagnoses/<uuid:diagnosis_id>/", diagnosis_stream), re_path(r"", nothing_here)]  # type: ignore[list-item]
)
