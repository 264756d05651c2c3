from __future__ import annotations

import logging
from threading import Event

from django.db import close_old_connections, connection

from analytics.telling import tell_what_moved
from avicenna.locks import only_one

logger = logging.getLogger(__name__)

TELLING = "telling"
PAUSE_SECONDS = 1.0


def work(stop: Event) -> None:
    """Round after round until `stop` is set; what failed is tried again in the next."""
    while not stop.wait(PAUSE_SECONDS):
        close_old_connections()
        try:
            with only_one(TELLING) as alone:
                if alone:
                    tell_what_moved()
        except Exception:  # the database, mostly, in whichever words its driver has: the next round tries again
            logger.warning("work beside requests failed, trying again", exc_info=True)
            connection.close()
    connection.close()
