"""The only place that writes scores onto recommendations and tells the stream about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from accounts.access import Act, Resource
from accounts.models import User
from analytics import evidence
from analytics.evidence import Evidence, Finding
from analytics.models import ToldRanking
from analytics.subjects import Subject, chain_of_recommendation
from avicenna.errors import ActionError
from avicenna.locks import only_one
from avicenna.permissions import require
from avicenna.sql import Row, Statement, run, update
from diagnoses.models import Diagnosis, Recommendation
from realtime.events import EffectivenessUpdate
from realtime.publish import publish

RECALCULATION = "recalculation"


class AlreadyRunning(ActionError):
    code = "already_running"
    message = _("A recalculation is running already. Please try again when it is done.")
    status = status.HTTP_409_CONFLICT


@dataclass(frozen=True)
class Rescored:
    """`previous` is None for a recommendation that had no score yet."""

    recommendation: Recommendation
    previous: float | None
    finding: Finding

    @property
    def saving(self) -> Statement:
        self.recommendation.effectiveness_score = self.finding.estimate.score
        self.recommendation.confidence = self.finding.estimate.confidence
        return update(self.recommendation, "effectiveness_score", "confidence", "updated_at")

    @property
    def update(self) -> EffectivenessUpdate:
        estimate = self.finding.estimate
        return EffectivenessUpdate(
            recommendation_id=self.recommendation.pk,
            remedy=self.recommendation.remedy.slug,
            effectiveness_score=estimate.score,
            previous_score=self.previous,
            confidence=estimate.confidence,
            interval=estimate.interval,
            sample_size=estimate.sample_size,
            trend=self.finding.trend,
        )


class Rescoring:
    """Brings the scores of some recommendations of one locked diagnosis up to date; the caller tells the stream.

    In two steps, so that each can travel with other statements: the rows that `asked` returns go to `found`.
    """

    def __init__(self, diagnosis: Diagnosis, recommendations: Iterable[Recommendation]) -> None:
        self._chains = {
            one: chain_of_recommendation(one.pk, one.remedy_id, diagnosis.condition_id) for one in recommendations
        }
        self._subjects = list(dict.fromkeys(chain.from_iterable(self._chains.values())))

    @property
    def asked(self) -> Statement:
        return evidence.collecting(self._subjects)

    def __len__(self) -> int:
        return len(self._chains)

    def found(self, rows: Iterable[Row], adding: Mapping[Subject, Evidence] | None = None) -> list[Rescored]:
        """Not saved yet: see `Rescored.saving`. `adding` is evidence that is still to be written."""
        known = evidence.collected(self._subjects, rows)
        for subject, more in (adding or {}).items():
            if subject in known:
                known[subject] += more
        findings = evidence.find_all(list(self._chains.values()), known)
        return [
            Rescored(recommendation, recommendation.effectiveness_score, finding)
            for recommendation, finding in zip(self._chains, findings, strict=True)
        ]


def ranking_is_due(diagnosis: Diagnosis) -> Statement:
    """Says that the ranking which was told of a diagnosis may have changed; the work beside requests looks into it."""
    pk = ToldRanking._meta.pk.get_db_prep_value(diagnosis.pk, connection)
    return Statement(
        f"UPDATE {ToldRanking._meta.db_table} SET is_due = TRUE WHERE diagnosis_id = %s AND NOT is_due", [pk]
    )


@transaction.atomic
def recalculate_diagnosis(
    *, diagnosis_id: UUID, recommendation_ids: Iterable[UUID] | None = None, even_if_same: bool = False
) -> list[Rescored]:
    """Brings its active recommendations (or those named) up to date; told are those whose score moved, or all."""
    diagnosis = Diagnosis.objects.select_for_update(of=("self",)).select_related("patient").get(pk=diagnosis_id)
    recommendations = Recommendation.objects.for_list().filter(diagnosis=diagnosis)
    chosen = (
        recommendations.active() if recommendation_ids is None else recommendations.filter(pk__in=recommendation_ids)
    )
    rescoring = Rescoring(diagnosis, chosen)
    if not rescoring:
        return []
    [rows] = run(rescoring.asked)
    rescored = rescoring.found(rows)
    run(*(one.saving for one in rescored), ranking_is_due(diagnosis))
    told = [one.update for one in rescored if even_if_same or one.previous != one.finding.estimate.score]
    if told and diagnosis.takes_events:
        publish(diagnosis, *told)
    return rescored


def recalculate(*, actor: User | None, recommendations: Iterable[Recommendation]) -> list[Rescored]:
    """The clinic asks for some; each diagnosis is a transaction of its own. Raises `AlreadyRunning`."""
    require(actor, Act.CHANGE, Resource.SCORES)
    by_diagnosis: dict[UUID, list[UUID]] = {}
    for recommendation in recommendations:
        by_diagnosis.setdefault(recommendation.diagnosis_id, []).append(recommendation.pk)
    with only_one(RECALCULATION) as alone:
        if not alone:
            raise AlreadyRunning
        found = [
            recalculate_diagnosis(diagnosis_id=pk, recommendation_ids=by_diagnosis[pk]) for pk in sorted(by_diagnosis)
        ]
    return list(chain.from_iterable(found))


def recalculate_all(diagnosis_ids: Iterable[UUID]) -> Iterator[list[Rescored]]:
    """One diagnosis after another, while the clinic goes on working. Raises `AlreadyRunning`."""
    with only_one(RECALCULATION) as alone:
        if not alone:
            raise AlreadyRunning
        for pk in diagnosis_ids:
            yield recalculate_diagnosis(diagnosis_id=pk)
