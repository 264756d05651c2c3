"""JSON lines with a request id in each; never a query string, a body, a token or health data."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

request_id: ContextVar[str] = ContextVar("request_id", default="")

access_log = logging.getLogger("avicenna.access")

# An id from outside is kept only if it cannot break a log line or name a person.
_FOREIGN_ID = re.compile(r"[0-9a-zA-Z-]{8,64}")


# The request's text shows its query string; the other is uvicorn's message once more, with terminal codes.
_UNWANTED = ("request", "color_message")


def begin_request(foreign: str) -> Token[str]:
    """From here on this context belongs to a request: with the id a proxy gave it, if it is one, else a new one."""
    return request_id.set(foreign if _FOREIGN_ID.fullmatch(foreign) else uuid.uuid4().hex)


class AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        for extra in _UNWANTED:
            record.__dict__.pop(extra, None)
        return True


class WithoutQueryString(logging.Filter):
    """Cuts the query string from what servers log of a request line: it may carry a ticket."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(re.sub(r"\?[^\s\"]*", "", a) if isinstance(a, str) else a for a in record.args)
        return True


class RequestLogMiddleware:
    """Gives each request an id (`X-Request-ID`, kept when a proxy sent one) and logs one line when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = begin_request(request.headers.get("X-Request-ID", ""))
        current = request_id.get()
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            access_log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                },
            )
        finally:
            request_id.reset(token)
        response["X-Request-ID"] = current
        return response


def logging_config(*, level: int, file: str, sql_echo: bool) -> dict[str, Any]:
    """The `LOGGING` setting: to the standard error stream, or to `file` in ten parts of 10 MB."""
    handler: dict[str, Any] = {"class": "logging.StreamHandler"}
    if file:
        handler = {"class": "logging.handlers.RotatingFileHandler", "filename": file, "encoding": "utf-8"}
        handler |= {"maxBytes": 10_000_000, "backupCount": 9, "delay": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "request_id": {"()": AddRequestId},
            "without_query": {"()": WithoutQueryString},
        },
        "formatters": {
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "fmt": "%(levelname)s %(name)s %(message)s %(request_id)s",
                "rename_fields": {"levelname": "level", "name": "logger"},
                "timestamp": "time",
                "json_ensure_ascii": False,
            }
        },
        "handlers": {"lines": handler | {"formatter": "json", "filters": ["request_id", "without_query"]}},
        "root": {"handlers": ["lines"], "level": level},
        "loggers": {
            # Parameters of a query are health data: SQL_ECHO is for a developer's own machine.
            "django.db.backends": {"level": "DEBUG" if sql_echo else "INFO"},
            # One line per request comes from RequestLogMiddleware; the servers' own would repeat it.
            "uvicorn.access": {"level": "WARNING", "propagate": True},
            "django.server": {"level": "WARNING", "propagate": True},
            "django.request": {"level": "ERROR"},
            # Debug lines of these carry statements, tokens or cache keys.
            "asyncio": {"level": "INFO"},
            "httpcore": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "uvicorn.error": {"level": "WARNING"},
            "websockets": {"level": "INFO"},
        },
    }
