"""Rate limits on the shared cache, answered with 429, `Retry-After` and the one error shape."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError
from rest_framework import status
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request

from avicenna.errors import RETRY_SECONDS
from avicenna.limits import LIMITS

logger = logging.getLogger(__name__)

Handler = Callable[..., HttpResponseBase]


class TooManyRequests(Throttled):
    default_detail = _("Too many requests.")
    default_code = "too_many_requests"
    extra_detail_singular = _("Try again in {wait} second.")  # type: ignore[assignment]
    extra_detail_plural = _("Try again in {wait} seconds.")  # type: ignore[assignment]


class NobodyCounts(APIException):
    """The cache is away: nobody shall guess passwords meanwhile."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = _("The service is not available for the moment. Please try again.")
    default_code = "unavailable"
    wait = RETRY_SECONDS


def limited(name: str) -> Callable[[Handler], Handler]:
    """Holds a view method to the limit of this name. Where several share it, all that is asked counts together."""
    limit = LIMITS[name]
    counted = [(key, rate) for key, rate in (("ip", limit.by_address), (_user_key, limit.by_user)) if rate]

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def wrapper(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            for key, rate in counted:
                _count(request, name, key, rate)
            return handler(self, request, *args, **kwargs)

        wrapper.is_limited = True  # type: ignore[attr-defined]  # the schema says so
        return wrapper

    return decorate


def _user_key(group: str, request: Any) -> str:
    return str(request.user.pk)


def _count(request: Request, name: str, key: Any, rate: str) -> None:
    try:
        usage = get_usage(request, group=name, key=key, rate=rate, increment=True)
    except RedisError:
        if LIMITS[name].closed_without_cache:
            raise NobodyCounts from None
        logger.warning("the cache does not answer; %s is not limited", name)
        return
    if usage and usage["should_limit"]:
        raise TooManyRequests(wait=max(1, usage["time_left"]))
