"""uvicorn as the clinic uses it: `python -m avicenna.sockets --port 8101` serves sockets behind a proxy.

One process, of which a host runs several. Nothing is prepared here and no work beside requests is done; REST answers,
too, but gunicorn does that faster. It is no manage.py command, because those read the settings before avicenna/asgi.py
has asked for a pool of connections.
"""

from __future__ import annotations

import argparse
import os

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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m avicenna.sockets", description=__doc__)
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    given = parser.parse_args()
    serve(given.host, given.port)


if __name__ == "__main__":
    main()
