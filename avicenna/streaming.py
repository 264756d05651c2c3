"""Long answers in pieces, over WSGI and ASGI alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.request import Request

# Small pieces travel together.
PIECE_CHARACTERS = 32 * 1024


def streamed(request: Request | HttpRequest, pieces: Iterator[str], *, content_type: str) -> StreamingHttpResponse:
    gathered = _gathered(pieces)
    is_asgi = isinstance(request._request if isinstance(request, Request) else request, ASGIRequest)
    return StreamingHttpResponse(_in_threads(gathered) if is_asgi else gathered, content_type=content_type)


def _gathered(pieces: Iterator[str]) -> Iterator[bytes]:
    pending: list[str] = []
    size = 0
    for piece in pieces:
        pending.append(piece)
        size += len(piece)
        if size >= PIECE_CHARACTERS:
            yield "".join(pending).encode()
            pending, size = [], 0
    yield "".join(pending).encode()


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A piece asks the database, which must not hold up the loop."""
    following = sync_to_async(_following)
    while (piece := await following(pieces)) is not None:
        yield piece


def _following(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
