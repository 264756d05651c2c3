"""What is done beside requests, and how often."""

from __future__ import annotations

from analytics.telling import tell_what_moved
from avicenna.work import Job
from predictions.matching import Matching

JOBS = (
    Job("telling", tell_what_moved),
    Job("matching", Matching()),
)
