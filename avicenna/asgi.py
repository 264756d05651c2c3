"""HTTP and sockets in one ASGI application, for uvicorn (`make run`) and daphne (`runserver`)."""

from __future__ import annotations

import os

from avicenna import process_defaults

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "avicenna.settings")
process_defaults.for_asgi()

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

http = get_asgi_application()  # sets Django up, which what follows needs

from avicenna.bodies import bounded  # noqa: E402
from avicenna.garbage import keep_what_is_loaded  # noqa: E402
from realtime.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": bounded(http), "websocket": websocket_application})
keep_what_is_loaded()
