"""Web push for those who are not looking: that there is something new, written down with what is new.

The row (`realtime.models.News`) is written in the transaction of the change and taken away when a device was told or
has seen it; the work beside requests, which tells, may be killed at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.models import PushSubscription
from realtime.models import News, Receipt

if TYPE_CHECKING:
    from diagnoses.models import Diagnosis

logger = logging.getLogger(__name__)

# Who has the page open confirms what they saw within seconds.
GRACE = timedelta(seconds=15)
# A device is not told more often, whatever happens.
QUIET = timedelta(minutes=15)
# Then it is no news any more.
STALE = timedelta(days=1)
AT_ONCE = 500


def is_news_for(diagnosis: Diagnosis, users: Iterable[int]) -> None:
    """Those of `users` who have a device that wants to be told are, unless they see it first.

    Belongs into the transaction of the change, after its event was published.
    """
    subscribed = PushSubscription.objects.filter(session__user__in=[*users], session__ended_at=None)
    wanting = sorted(set(subscribed.values_list("session__user", flat=True)))
    now = timezone.now()
    News.objects.bulk_create(
        [News(user_id=user, diagnosis=diagnosis, seq=diagnosis.head, since=now) for user in wanting],
        update_conflicts=True,
        unique_fields=["user", "diagnosis"],
        update_fields=["seq"],
    )


def push_news() -> int:
    """One round; how many devices were told."""
    if not settings.VAPID_PRIVATE_KEY:
        return 0
    now = timezone.now()
    return sum(_push(news, now) for news in News.objects.filter(since__lte=now - GRACE).order_by("since")[:AT_ONCE])


def _push(news: News, now: datetime) -> int:
    if news.since < now - STALE or _has_seen(news):
        _forget(news)
        return 0
    devices = PushSubscription.objects.filter(session__user=news.user_id, session__ended_at=None)
    rested = devices.filter(Q(pushed_at=None) | Q(pushed_at__lt=now - QUIET)).select_related("session__user")
    told = [device for device in rested if _is_told(device, now)]
    if told or not devices:
        _forget(news)
    return len(told)


def _has_seen(news: News) -> bool:
    seen = Receipt.objects.filter(session__user=news.user_id, diagnosis=news.diagnosis_id, seen_seq__gte=news.seq)
    return seen.exists()


def _is_told(device: PushSubscription, now: datetime) -> bool:
    from accounts import push_sending  # what it takes would cost every process a tenth of its start

    try:
        push_sending.send(device)
    except push_sending.Gone:
        device.delete()
        return False
    except push_sending.NotSent as error:
        logger.warning("a device could not be told: %s", error)
        return False
    finally:
        # Also when it failed: a push service that is in trouble is left alone for as long.
        PushSubscription.objects.filter(pk=device.pk).update(pushed_at=now)
    return True


def _forget(news: News) -> None:
    """What came meanwhile stays news."""
    News.objects.filter(pk=news.pk, seq=news.seq).delete()
