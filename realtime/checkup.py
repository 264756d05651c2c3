"""Whether news of a change reaches the server processes that hold the sockets."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from avicenna.doctor.findings import Findings, error, fine, warning
from realtime.models import News, StreamProcess
from realtime.publish import echo

PART = "stream"
SECONDS = 3.0
WAITING_TOO_LONG = timedelta(minutes=10)


def examine_layer() -> Findings:
    try:
        took = asyncio.run(echo(SECONDS))
    except Exception as problem:  # TimeoutError, or whatever the layer raises
        yield error(
            "channel layer",
            f"a message does not come back ({type(problem).__name__})",
            "See to Redis. Until then events arrive with the next look at the heads (REALTIME_HEADS_CHECK_SECONDS).",
        )
    else:
        yield fine("channel layer", f"a message comes back after {took:.1f} ms")


def examine_stream() -> Findings:
    alive = StreamProcess.objects.alive()
    for process in alive.filter(hears_hints=False):
        yield warning(PART, f"{process.name} hears no hints", "It finds its Redis or network broken: restart it.")
    sockets = alive.aggregate(sockets=Sum("connections"))["sockets"] or 0
    yield fine(PART, f"{alive.count()} server processes with {sockets} sockets gave a sign of life lately")
    waiting = News.objects.filter(since__lt=timezone.now() - WAITING_TOO_LONG).count()
    if waiting:
        yield warning(PART, f"{waiting} people wait for a push message", "Does the worker reach the push services?")
