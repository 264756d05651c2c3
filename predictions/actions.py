from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Field, Max
from django.utils import timezone

from avicenna.locks import impatient
from avicenna.sql import KEEP, Statement, run, upsert
from predictions.features import age_band
from predictions.models import PredictionModel, PredictionRecord
from predictions.ranking import Prediction, Ranking
from predictions.registry import registry
from predictions.reranking import remember_shown
from predictions.training import Trained

logger = logging.getLogger(__name__)

KEPT_VERSIONS = 5
# Predictions that agree so far are the same to whoever reads them.
DECIMALS = 3
# Longer than accuracy looks back.
KEPT_DAYS = 760
PRUNED_AT_ONCE = 10_000
# How often a run that goes on says so.
SEEN_EVERY = timedelta(days=1)


@transaction.atomic
def store_model(trained: Trained) -> PredictionModel:
    """Keeps the model as a new version and puts it to use when it is not worse than the present one."""
    newest = PredictionModel.objects.aggregate(newest=Max("version"))["newest"] or 0
    stored = PredictionModel.objects.create(
        version=newest + 1,
        trained_from=trained.since,
        trained_until=trained.until,
        half_life=trained.half_life,
        softening=trained.softening,
        training_size=trained.training_size,
        holdout_size=trained.holdout_size,
        metrics=trained.metrics(),
        scales=trained.scales,
        coefficients=trained.model.to_dict(),
    )
    if trained.is_worthy:
        activate_model(stored)
    old = PredictionModel.objects.filter(is_active=False).order_by("-version")[KEPT_VERSIONS:]
    PredictionModel.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return stored


@transaction.atomic
def activate_model(model: PredictionModel) -> None:
    PredictionModel.objects.filter(is_active=True).update(is_active=False)
    model.is_active = True
    model.save(update_fields=["is_active"])
    transaction.on_commit(registry.forget, robust=True)


def record_shown(rankings: Iterable[Ranking]) -> bool:
    """Keeps what is shown, to be held against what happens. What was shown before already is only read.

    Whether it could be kept: nobody goes without an answer because it could not, a failure is logged.
    """
    try:
        if shown := [ranking for ranking in rankings if ranking.predictions]:
            _record(shown)
    except Exception:  # whatever the database or its driver says
        logger.warning("what was shown could not be recorded", exc_info=True)
        return False
    return True


def prune_records(*, days: int) -> int:
    """Removes what was neither shown nor reported on for so long; returns how many.

    A few at a time and the oldest first, so that nobody waits and it may be stopped at any time.
    """
    before, removed = timezone.now() - timedelta(days=days), 0
    old = PredictionRecord.objects.filter(last_shown_at__lt=before).exclude(reported_at__gte=before)
    while some := list(old.order_by("pk").values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        removed += PredictionRecord.objects.filter(pk__in=some).delete()[0]
    return removed


class _Run(NamedTuple):
    """The newest of a recommendation. `is_silent`: it has not said for SEEN_EVERY that it goes on."""

    pk: int
    recommendation: UUID
    number: int
    said: tuple[int, float]  # model version and chance
    is_silent: bool


def _record(rankings: Sequence[Ranking]) -> None:
    now = timezone.now()
    newest = {one.recommendation: one for one in _newest_runs(rankings, now)}
    going_on, beginning = [], {}
    for ranking in rankings:
        for prediction in ranking.predictions:
            pk = prediction.recommendation.pk
            last = newest.get(pk)
            if last is None or last.said != (ranking.model_version or 0, _rounded(prediction.predicted_effectiveness)):
                beginning[pk] = (pk, last.number + 1 if last else 1, *_beginning(ranking, prediction, now))
            elif last.is_silent:
                going_on.append(last.pk)
    # In one order, so that two who show the same do not lock each other out.
    rows = [beginning[pk] for pk in sorted(beginning)]
    if rows:
        # Before: where it fails, both are tried again the next time.
        remember_shown([one for one in rankings if any(own.recommendation.pk in beginning for own in one.predictions)])
        run(*impatient(), *upsert(PredictionRecord, ["recommendation", "number"], _BEGINNING, rows, KEEP))
    if going_on:
        PredictionRecord.objects.filter(pk__in=going_on).update(last_shown_at=now)


_BEGINNING = ["diagnosis", "patient", "model_version", "predicted", "lower", "upper", "sex", "age_band", "mizaj"]
_BEGINNING += ["shown_at", "last_shown_at"]


def _beginning(ranking: Ranking, prediction: Prediction, now: datetime) -> tuple[Any, ...]:
    """A value for each of _BEGINNING."""
    diagnosis, patient = ranking.diagnosis, ranking.diagnosis.patient
    chances = (prediction.predicted_effectiveness, *prediction.interval)
    return (
        diagnosis.pk,
        patient.pk,
        ranking.model_version or 0,
        *map(_rounded, chances),
        patient.sex,
        age_band(patient.age(timezone.localdate(now))),
        patient.mizaj_type,
        now,
        now,
    )


def _rounded(chance: float) -> float:
    return round(float(chance), DECIMALS)


_TABLE = PredictionRecord._meta.db_table
_NEWEST = f"""
    SELECT id, recommendation_id, number, model_version, predicted, last_shown_at < %s FROM {_TABLE} AS run
    WHERE diagnosis_id IN ({{diagnoses}}) AND NOT EXISTS (
        SELECT 1 FROM {_TABLE} AS later
        WHERE later.recommendation_id = run.recommendation_id AND later.number > run.number)
"""


def _newest_runs(rankings: Sequence[Ranking], now: datetime) -> Iterable[_Run]:
    diagnoses = [_prepared("diagnosis", pk) for pk in {ranking.diagnosis.pk for ranking in rankings}]
    if not diagnoses:
        return
    # Filled up to a power of two, so that a connection plans few different statements.
    diagnoses += diagnoses[-1:] * ((1 << (len(diagnoses) - 1).bit_length()) - len(diagnoses))
    sql = _NEWEST.format(diagnoses=", ".join(["%s"] * len(diagnoses)))
    [rows] = run(Statement(sql, [_prepared("last_shown_at", now - SEEN_EVERY), *diagnoses]))
    for pk, recommendation, number, version, predicted, is_silent in rows:
        yield _Run(pk, UUID(str(recommendation)), number, (version, predicted), bool(is_silent))


def _prepared(name: str, value: Any) -> Any:
    field = cast("Field[Any, Any]", PredictionRecord._meta.get_field(name))
    return field.get_db_prep_value(value, connection)
