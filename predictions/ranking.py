"""Ranks the open recommendations of diagnoses, each for its patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Literal
from uuid import UUID

import numpy as np
from django.utils import timezone
from scipy.special import betaincinv

from accounts.models import User
from analytics import evidence
from analytics.effectiveness import PRIOR_STRENGTH, Beta, Counts, posteriors
from analytics.evidence import Evidence
from analytics.subjects import Subject, chain_of_recommendation
from diagnoses.models import Diagnosis, Recommendation
from predictions.engine import Scores, chance_of_reaching
from predictions.features import cases_of, columns_of, outcomes_of
from predictions.history import reports_since
from predictions.levels import Level
from predictions.lookups import open_recommendations, visible_and_open
from predictions.registry import ActiveModel, registry
from predictions.sources import Source, carried_by_counts, carried_by_groups
from predictions.tellable import Tellable, tellable

Method = Literal["model", "effectiveness"]
LeftOutCode = Literal["withdrawn", "contraindicated"]
# Successes, and the reports of the last 90 days among which they are.
Told = tuple[int, int]


@dataclass(frozen=True)
class EvidenceNote:
    """What a score rests on. `feedbacks` are reports on the remedy, of this patient alone where others are too few to
    be told; `similar_patients` is None then."""

    source: Source
    method: Method
    feedbacks: int
    similar_patients: int | None


@dataclass(frozen=True)
class LogitNormal:
    """A normal distribution over the logit of a success probability."""

    logit: float
    deviation: float

    def chance_of_reaching(self, target: float) -> float:
        """The probability, 0..1, that the success probability is at least `target`, 0..1."""
        return float(chance_of_reaching(self.logit, self.deviation, target))


# What is believed of a probability of success; each knows its `chance_of_reaching` a target.
Belief = LogitNormal | Beta


@dataclass(frozen=True)
class Prediction:
    """`score` ranks at the asked level; `predicted_effectiveness` is the mean; `interval` holds 95 %.

    `contributions`: what each group of features adds, on the logit scale; None without a model. `told`: what may be
    said in numbers of a group, or of the patient's `own` reports.
    """

    recommendation: Recommendation
    score: float
    predicted_effectiveness: float
    interval: tuple[float, float]
    evidence: EvidenceNote
    belief: Belief
    contributions: Mapping[str, float] | None
    told: Mapping[str, Told]

    @property
    def confidence(self) -> float:
        return 1.0 - (self.interval[1] - self.interval[0])


@dataclass(frozen=True)
class LeftOut:
    """An open recommendation that is not ranked, and why."""

    recommendation: Recommendation
    code: LeftOutCode


@dataclass(frozen=True)
class Ranking:
    """`is_remembered`: it was answered before, and nothing it was made of has changed since."""

    diagnosis: Diagnosis
    level: Level
    model_version: int | None
    predictions: list[Prediction]
    left_out: list[LeftOut] = field(default_factory=list)
    is_remembered: bool = False


@dataclass(frozen=True)
class Candidates:
    """What can be ranked of a diagnosis. `patient_head` rises with every event of any diagnosis of the patient."""

    diagnosis: Diagnosis
    recommendations: list[Recommendation]
    left_out: list[LeftOut]
    patient_head: int


@dataclass(frozen=True)
class _Known:
    """The evidence around one recommendation, from everything down to its own reports, and by the patient's mizaj;
    and of what something may be told."""

    chain: list[Evidence]
    alike: Evidence
    tellable: Tellable
    condition: int
    mizaj: str

    @property
    def counts(self) -> list[Counts]:
        return [level.counts for level in self.chain]

    @property
    def told(self) -> dict[str, Told]:
        _, remedy, here, own = self.counts
        known = {
            "own": (own, own.n > 0),
            "remedy_mizaj": (self.alike.counts, self.mizaj in self.tellable.patients),
            "remedy_condition": (here, self.condition in self.tellable.conditions),
            "remedy": (remedy, self.tellable.total),
        }
        return {name: (counts.successes, counts.n) for name, (counts, may_be_told) in known.items() if may_be_told}

    def note(self, method: Method, source: Source) -> EvidenceNote:
        told = self.chain[1] if self.tellable.total else self.chain[-1]
        return EvidenceNote(source, method, told.window.n, self.tellable.patients.get(self.mizaj))


def rank(diagnosis: Diagnosis, level: Level) -> Ranking:
    return rank_all([diagnosis], level)[0]


def rank_all(diagnoses: Sequence[Diagnosis], level: Level) -> list[Ranking]:
    """One ranking for each, best first; as many queries for twenty as for one.

    Without a trained model the effectiveness posterior answers, and `evidence` says so.
    """
    return rank_candidates(candidates_of(diagnoses), level, registry.active())


def visible_candidates(user: User, pks: Sequence[UUID]) -> list[Candidates]:
    """Of the named diagnoses, in their order, those that the user may see."""
    diagnoses, recommendations = visible_and_open(user, pks)
    found = {diagnosis.pk: diagnosis for diagnosis in diagnoses}
    return _candidates([found[pk] for pk in pks if pk in found], recommendations)


def candidates_of(diagnoses: Sequence[Diagnosis]) -> list[Candidates]:
    """One query."""
    return _candidates(diagnoses, open_recommendations([diagnosis.pk for diagnosis in diagnoses]))


def _candidates(diagnoses: Sequence[Diagnosis], recommendations: Iterable[Recommendation]) -> list[Candidates]:
    opened: defaultdict[UUID, list[Recommendation]] = defaultdict(list)
    for row in recommendations:
        opened[row.diagnosis_id].append(row)
    return [
        Candidates(
            diagnosis=diagnosis,
            recommendations=[row for row in opened[diagnosis.pk] if _why_left_out(row) is None],
            left_out=[LeftOut(row, code) for row in opened[diagnosis.pk] if (code := _why_left_out(row))],
            patient_head=max((vars(row)["patient_head"] for row in opened[diagnosis.pk]), default=0),
        )
        for diagnosis in diagnoses
    ]


def _why_left_out(recommendation: Recommendation) -> LeftOutCode | None:
    """`recommendation` is one of `candidates_of`."""
    if vars(recommendation)["is_contraindicated"]:
        return "contraindicated"
    return None if recommendation.remedy.is_active else "withdrawn"


def rank_candidates(candidates: Sequence[Candidates], level: Level, active: ActiveModel | None) -> list[Ranking]:
    """One ranking for each, in their order. Without recommendations there is nothing to ask."""
    if not candidates:
        return []
    known = _look_up(candidates)
    if active is None:
        predictions = _from_evidence(candidates, level, known)
    else:
        predictions = _from_model(active, candidates, level, known)
    remaining = iter(predictions)
    rankings = []
    for one in candidates:
        own = [next(remaining) for _ in one.recommendations]
        rankings.append(ranked(one, level, active.version if active else None, own))
    return rankings


def ranked(
    candidates: Candidates,
    level: Level,
    version: int | None,
    predictions: Sequence[Prediction],
    *,
    is_remembered: bool = False,
) -> Ranking:
    best_first = sorted(predictions, key=lambda one: (-one.score, str(one.recommendation.pk)))
    return Ranking(candidates.diagnosis, level, version, best_first, candidates.left_out, is_remembered)


def _look_up(candidates: Sequence[Candidates]) -> list[_Known]:
    """In the order of all recommendations of all candidates."""
    pairs = [(one.diagnosis, row) for one in candidates for row in one.recommendations]
    chains = [chain_of_recommendation(row.pk, row.remedy_id, diagnosis.condition_id) for diagnosis, row in pairs]
    alike = [Subject.remedy_mizaj(row.remedy_id, diagnosis.patient.mizaj_type) for diagnosis, row in pairs]
    found = evidence.collect([*chain.from_iterable(chains), *alike])
    remedies = {row.remedy_id: found[Subject.remedy(row.remedy_id)].counts for _, row in pairs}
    parts = tellable(remedies)
    return [
        _Known(
            chain=[found[subject] for subject in subjects],
            alike=found[of_mizaj],
            tellable=parts[row.remedy_id],
            condition=diagnosis.condition_id,
            mizaj=diagnosis.patient.mizaj_type,
        )
        for (diagnosis, row), subjects, of_mizaj in zip(pairs, chains, alike, strict=True)
    ]


def _from_evidence(candidates: Sequence[Candidates], level: Level, known: Sequence[_Known]) -> list[Prediction]:
    recommendations = [row for one in candidates for row in one.recommendations]
    chains = [one.counts for one in known]
    strength = known[0].chain[0].strength if known else PRIOR_STRENGTH
    a, b = posteriors(chains, strength)
    sources = carried_by_counts(chains, strength)
    means = a / (a + b)
    scores = means if level.quantile is None else betaincinv(a, b, level.quantile)
    lower, upper = betaincinv(a, b, 0.025), betaincinv(a, b, 0.975)
    return [
        Prediction(
            recommendation=recommendation,
            score=float(scores[i]),
            predicted_effectiveness=float(means[i]),
            interval=(float(lower[i]), float(upper[i])),
            evidence=known[i].note("effectiveness", sources[i]),
            belief=Beta(float(a[i]), float(b[i])),
            contributions=None,
            told=known[i].told,
        )
        for i, recommendation in enumerate(recommendations)
    ]


def _from_model(
    active: ActiveModel, candidates: Sequence[Candidates], level: Level, known: Sequence[_Known]
) -> list[Prediction]:
    places = _scored(active, candidates)
    recommendations = [row for one in candidates for row in one.recommendations]
    return [
        _of_model(recommendation, *places[recommendation.pk], level, about)
        for recommendation, about in zip(recommendations, known, strict=True)
    ]


def _scored(active: ActiveModel, candidates: Sequence[Candidates]) -> dict[UUID, tuple[Scores, int]]:
    """By recommendation, the scores it is among and its row there. Patients with nothing new are scored together."""
    today = timezone.localdate()
    since = reports_since({one.diagnosis.patient_id for one in candidates}, active.trained_until)
    found: dict[UUID, tuple[Scores, int]] = {}
    by_patient = groupby(
        sorted(candidates, key=lambda one: one.diagnosis.patient_id.hex if one.diagnosis.patient_id in since else ""),
        key=lambda one: since.get(one.diagnosis.patient_id, []),
    )
    for reports, some in by_patient:
        own = [one for one in some if one.recommendations]
        cases = list(chain.from_iterable(cases_of(one.diagnosis, one.recommendations, today) for one in own))
        if cases:
            scores = active.model.score(columns_of(cases), since=outcomes_of(reports))
            rows = chain.from_iterable(one.recommendations for one in own)
            found |= {row.pk: (scores, place) for place, row in enumerate(rows)}
    return found


def _of_model(recommendation: Recommendation, scores: Scores, row: int, level: Level, known: _Known) -> Prediction:
    contributions = {group: float(part[row]) for group, part in scores.contributions.items()}
    return Prediction(
        recommendation=recommendation,
        score=float(_at(scores, level)[row]),
        predicted_effectiveness=float(scores.mean[row]),
        interval=(float(scores.lower[row]), float(scores.upper[row])),
        evidence=known.note("model", carried_by_groups(contributions)),
        belief=LogitNormal(float(scores.logit[row]), float(scores.deviation[row])),
        contributions=contributions,
        told=known.told,
    )


def _at(scores: Scores, level: Level) -> np.ndarray:
    return {"conservative": scores.cautious, "balanced": scores.mean, "aggressive": scores.hopeful}[level.value]
