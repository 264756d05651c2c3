"""Rate limits on the shared cache, answered with 429, `Retry-After` and the one error shape."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.utils.translation import gettext_lazy as _
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

logger = logging.getLogger(__name__)

ADDRESS = "ip"

Handler = Callable[..., Response]


class TooManyRequests(Throttled):
    default_detail = _("Too many requests.")
    default_code = "too_many_requests"
    extra_detail_singular = _("Try again in {wait} second.")  # type: ignore[assignment]
    extra_detail_plural = _("Try again in {wait} seconds.")  # type: ignore[assignment]


def limited(group: str, *, by_address: str | None = None, by_user: str | None = None) -> Callable[[Handler], Handler]:
    """Allows a view method so many calls per address or per user, written as `10/m`.

    While the cache is away, users are not counted.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def wrapper(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            for key, rate in ((ADDRESS, by_address), (_user_key, by_user)):
                if rate:
                    _count(request, group, key, rate)
            return handler(self, request, *args, **kwargs)

        return wrapper

    return decorate


def _user_key(group: str, request: Any) -> str:
    return str(request.user.pk)


def _count(request: Request, group: str, key: Any, rate: str) -> None:
    try:
        usage = get_usage(request, group=group, key=key, rate=rate, increment=True)
    except RedisError:
        if key == ADDRESS:  # while nobody counts, nobody shall guess passwords
            raise
        logger.warning("the cache does not answer; %s is not limited", group)
        return
    if usage and usage["should_limit"]:
        raise TooManyRequests(wait=max(1, usage["time_left"]))
