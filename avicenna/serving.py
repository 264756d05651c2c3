"""How uvicorn serves, alone or beside gunicorn."""

from __future__ import annotations

import uvicorn


def serve(host: str, port: int) -> None:
    """Until it is told to stop. Sockets are closed with 1012 then, and whoever is being answered is answered."""
    uvicorn.run(
        "avicenna.asgi:application",
        host=host,
        port=port,
        backlog=4096,
        ws="websockets-sansio",
        ws_max_size=128 * 1024,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # who may say whose request it is: TRUSTED_PROXIES
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=3,
    )
