"""The product's own applications with two levers that the tests pull from outside.

* The clock of the process is ahead by what the file CHAOS_CLOCK says, at once when it changes.
* A REST worker ends itself between a commit and the hint that follows it, when a request asks for it.

Nothing of the product is replaced: the clock is moved where Python reads it, and the end comes from an `on_commit`
that is registered before the product's own.
"""

from __future__ import annotations

import datetime
import mmap
import os
import signal
import struct
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

DIE_AFTER_COMMIT = "X-Chaos-Die-After-Commit"

Application = Callable[..., Any]


def asgi() -> Application:
    move_clock()
    from avicenna.asgi import application

    return application


def wsgi() -> Application:
    move_clock()
    from avicenna.wsgi import application

    key = f"HTTP_{DIE_AFTER_COMMIT.upper().replace('-', '_')}"

    def levered(environ: dict[str, Any], start_response: Application) -> Iterable[bytes]:
        if key in environ:
            die_after_commit(application, environ, start_response)
        return application(environ, start_response)

    return levered


def die_after_commit(application: Application, environ: dict[str, Any], start_response: Application) -> None:
    """The request's own transactions end in one outer commit; what is registered first runs first after it."""
    from django.core.signals import request_started
    from django.db import close_old_connections, transaction

    request_started.disconnect(close_old_connections)  # it would take the connection out of the outer transaction
    with transaction.atomic():
        transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
        application(environ, start_response)


def move_clock() -> None:
    """Shifts time.time and every `datetime.now` that Django, the tokens and their library ask.

    Must run before they are imported by others. Clocks that only measure durations stay.
    """
    with Path(os.environ["CHAOS_CLOCK"]).open("rb") as file:
        shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    real = time.time
    time.time = lambda: real() + struct.unpack("d", shared[:8])[0]

    import django.utils.timezone
    import jwt.api_jwt
    import rest_framework_simplejwt.utils

    for module in (django.utils.timezone, jwt.api_jwt, rest_framework_simplejwt.utils):
        module.datetime = Shifted  # type: ignore[attr-defined]


class _Real(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime.datetime)


class Shifted(datetime.datetime, metaclass=_Real):
    """Makes real datetimes, and `now` from time.time."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return datetime.datetime(*args, **kwargs)  # noqa: DTZ001 (whatever zone the caller gave)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return datetime.datetime.fromtimestamp(time.time(), tz)
