"""Finds what happened after a prediction was shown: the first report on its recommendation while it stood.

Beside requests, so that a report costs nothing for it. Which report belongs to which run depends on when both were
made and on nothing else: neither on when it is looked for, nor on whether the report is changed or withdrawn later.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone

from avicenna.locks import in_turn
from avicenna.sql import Statement, run
from feedback.models import Feedback
from predictions.models import PredictionRecord

# A report bears the time at which its transaction began; it is seen when that ends.
OVERLAP = timedelta(minutes=5)
# Once a day also reports of so long ago that came in late, as in an import.
LATE = timedelta(days=30)

_RECORD, _FEEDBACK = PredictionRecord._meta.db_table, Feedback._meta.db_table
# A run that was committed only after its report had been given to the one before it.
_TAKE_BACK = f"""
    UPDATE {_RECORD} AS run SET feedback_id = NULL, reported_at = NULL
    WHERE run.reported_at >= %s AND EXISTS (
        SELECT 1 FROM {_RECORD} AS later
        WHERE later.recommendation_id = run.recommendation_id AND later.number > run.number
          AND later.shown_at <= run.reported_at)
"""
_MATCH = f"""
    UPDATE {_RECORD} AS run SET feedback_id = first.feedback, reported_at = first.given
    FROM (
        SELECT feedback, given, run, ROW_NUMBER() OVER (PARTITION BY run ORDER BY given, feedback) AS place
        FROM (
            SELECT report.id AS feedback, report.created_at AS given,
                   (SELECT shown.id FROM {_RECORD} AS shown
                    WHERE shown.recommendation_id = report.recommendation_id AND shown.shown_at <= report.created_at
                    ORDER BY shown.number DESC LIMIT 1) AS run
            FROM {_FEEDBACK} AS report
            WHERE report.created_at >= %s
              AND NOT EXISTS (SELECT 1 FROM {_RECORD} AS matched WHERE matched.feedback_id = report.id)
        ) AS belonging
        WHERE run IS NOT NULL
    ) AS first
    WHERE run.id = first.run AND first.place = 1 AND (run.reported_at IS NULL OR first.given < run.reported_at)
    RETURNING id
"""


def match(since: datetime) -> int:
    """Gives the runs their reports, of those given since then; returns how many runs. One message.

    May be interrupted, repeated, and asked for by two at once: they take turns, as a run begun meanwhile, which only
    the second sees, could take a report that the first is giving away.
    """
    start = Feedback._meta.get_field("created_at").get_db_prep_value(since, connection)
    *_, given = run(*in_turn("match"), Statement(_TAKE_BACK, [start]), Statement(_MATCH, [start]))
    return len(given)


class Matching:
    """Round after round, each from where the last one ended; the first, and once a day, from longer ago."""

    def __init__(self) -> None:
        self._until: datetime | None = None
        self._day: date | None = None

    def __call__(self) -> None:
        now, today = timezone.now(), timezone.localdate()
        since = self._until - OVERLAP if self._until and self._day == today else _start()
        if since is not None:
            match(since)
        self._until, self._day = now, today


def _start() -> datetime | None:
    """Long before the newest match, or the first showing where nothing is matched yet; None where nothing was shown."""
    times = PredictionRecord.objects.aggregate(matched=Max("reported_at"), shown=Min("shown_at"))
    start: datetime | None = times["matched"] or times["shown"]
    return start - LATE if start else None
