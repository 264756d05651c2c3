"""What is done beside requests, and how often."""

from __future__ import annotations

from analytics.telling import tell_what_moved
from avicenna.actions import report_worker
from avicenna.backup.age import measure_backup_age
from avicenna.models import WORKER_SECONDS
from avicenna.work import Job
from predictions.drift import measure_drift
from predictions.matching import Matching
from predictions.reranking import rerank_what_is_due
from realtime.news import push_news

JOBS = (
    Job("telling", tell_what_moved),
    Job("reranking", rerank_what_is_due),
    Job("matching", Matching()),
    Job("pushing", push_news),
    Job("drift", measure_drift, every=600),
    Job("backups", measure_backup_age, every=60),
    Job("life", report_worker, every=WORKER_SECONDS),
)
