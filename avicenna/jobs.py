"""What is done beside requests, and how often."""

from __future__ import annotations

from django.core.management import call_command

from analytics.telling import tell_what_moved
from audit.sealing import seal_what_is_due
from avicenna.actions import report_worker
from avicenna.backup.age import measure_backup_age
from avicenna.models import WORKER_SECONDS
from avicenna.work import Job
from predictions.actions import KEPT_DAYS, prune_records
from predictions.drift import measure_drift
from predictions.matching import Matching
from predictions.reranking import rerank_what_is_due
from realtime.actions import prune_events
from realtime.news import push_news
from realtime.publish import KEPT_EVENTS

DAY = 24 * 60 * 60.0


def tidy() -> None:
    """Removes what nobody asks for any more: events, tickets, shown predictions, expired tokens, sessions."""
    prune_events(keep=KEPT_EVENTS)
    prune_records(days=KEPT_DAYS)
    call_command("flushexpiredtokens")
    call_command("clearsessions")


JOBS = (
    Job("telling", tell_what_moved),
    Job("reranking", rerank_what_is_due),
    Job("matching", Matching()),
    Job("pushing", push_news),
    Job("sealing", seal_what_is_due),
    Job("drift", measure_drift, every=600),
    Job("backups", measure_backup_age, every=60),
    Job("life", report_worker, every=WORKER_SECONDS),
    Job("tidying", tidy, every=DAY),
)
