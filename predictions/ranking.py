"""Ranks the open recommendations of a diagnosis for its patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from django.utils import timezone

from analytics import evidence, privacy
from analytics.effectiveness import posterior
from analytics.evidence import Evidence
from analytics.subjects import Kind, Subject, chain_of_recommendation
from avicenna.metrics import predictions
from diagnoses.models import Contraindication, Diagnosis, Recommendation
from predictions.engine import Scores
from predictions.features import cases_of, columns_of, outcomes_of
from predictions.history import reports_since
from predictions.levels import Level
from predictions.registry import ActiveModel, registry

Source = Literal["own_history", "similar_patients", "remedy_history", "prior"]


@dataclass(frozen=True)
class EvidenceNote:
    """What a score rests on. `similar_patients` is None when too few to be told."""

    source: Source
    method: Literal["model", "effectiveness"]
    feedbacks: int
    similar_patients: int | None


@dataclass(frozen=True)
class Prediction:
    """`score` ranks at the asked level; `predicted_effectiveness` is the mean; `interval` holds 95 %.

    `contributions`: what each group of features adds, on the logit scale; None without a model.
    """

    recommendation: Recommendation
    score: float
    predicted_effectiveness: float
    interval: tuple[float, float]
    evidence: EvidenceNote
    contributions: Mapping[str, float] | None

    @property
    def confidence(self) -> float:
        return 1.0 - (self.interval[1] - self.interval[0])


@dataclass(frozen=True)
class Ranking:
    diagnosis: Diagnosis
    level: Level
    model_version: int | None
    predictions: list[Prediction]


@dataclass(frozen=True)
class _Known:
    """The evidence around one recommendation, from everything down to its own reports."""

    own: Evidence
    here: Evidence
    remedy: Evidence
    chain: list[Evidence]
    similar_patients: int | None

    @property
    def source(self) -> Source:
        if self.own.window.n:
            return "own_history"
        if self.here.window.n:
            return "similar_patients"
        return "remedy_history" if self.remedy.window.n else "prior"

    def note(self, method: Literal["model", "effectiveness"]) -> EvidenceNote:
        return EvidenceNote(self.source, method, self.remedy.window.n, self.similar_patients)


def rank(diagnosis: Diagnosis, level: Level) -> Ranking:
    """Best first, without what must not be given to the patient.

    Without a trained model the effectiveness posterior answers, and `evidence` says so.
    """
    forbidden = Contraindication.objects.standing().of_patients([diagnosis.patient_id]).values("remedy")
    open_ones = Recommendation.objects.for_list().active().filter(diagnosis=diagnosis)
    recommendations = list(open_ones.exclude(remedy__in=forbidden))
    known = _look_up(diagnosis, recommendations)
    active = registry.active()
    if active is None:
        found = [_from_evidence(r, level, k) for r, k in zip(recommendations, known, strict=True)]
    else:
        found = _from_model(active, diagnosis, recommendations, level, known)
    predictions.labels(level.value).inc()
    ordered = sorted(found, key=lambda p: (-p.score, str(p.recommendation.pk)))
    return Ranking(diagnosis, level, active.version if active else None, ordered)


def _look_up(diagnosis: Diagnosis, recommendations: Sequence[Recommendation]) -> list[_Known]:
    chains = [chain_of_recommendation(r.pk, r.remedy_id, diagnosis.condition_id) for r in recommendations]
    found = evidence.collect(subject for chain in chains for subject in chain)
    alike = _alike(diagnosis.patient.mizaj_type, recommendations)
    return [
        _Known(
            own=found[chain[3]],
            here=found[chain[2]],
            remedy=found[chain[1]],
            chain=[found[subject] for subject in chain],
            similar_patients=alike.get(recommendation.remedy_id),
        )
        for recommendation, chain in zip(recommendations, chains, strict=True)
    ]


def _alike(mizaj: str, recommendations: Sequence[Recommendation]) -> dict[int, int]:
    """Remedy → how many patients of the same mizaj reported on it, where they are enough to be told."""
    if not mizaj:
        return {}
    subjects = {Subject.remedy_mizaj(r.remedy_id, mizaj): r.remedy_id for r in recommendations}
    counted = privacy.count_patients(Kind.REMEDY_MIZAJ, [subject.key for subject in subjects])
    return {subjects[subject]: patients for subject, patients in counted.items()}


def _from_evidence(recommendation: Recommendation, level: Level, known: _Known) -> Prediction:
    beta = posterior([level.counts for level in known.chain], known.chain[0].strength)
    quantile = level.quantile
    return Prediction(
        recommendation=recommendation,
        score=beta.mean if quantile is None else beta.quantile(quantile),
        predicted_effectiveness=beta.mean,
        interval=(beta.quantile(0.025), beta.quantile(0.975)),
        evidence=known.note("effectiveness"),
        contributions=None,
    )


def _from_model(
    active: ActiveModel,
    diagnosis: Diagnosis,
    recommendations: Sequence[Recommendation],
    level: Level,
    known: Sequence[_Known],
) -> list[Prediction]:
    if not recommendations:
        return []
    since = reports_since([diagnosis.patient_id], active.trained_until).get(diagnosis.patient_id, [])
    columns = columns_of(cases_of(diagnosis, recommendations, timezone.localdate()))
    scores = active.model.score(columns, since=outcomes_of(since))
    ranked_by = _at(scores, level)
    return [
        Prediction(
            recommendation=recommendation,
            score=float(ranked_by[i]),
            predicted_effectiveness=float(scores.mean[i]),
            interval=(float(scores.lower[i]), float(scores.upper[i])),
            evidence=known[i].note("model"),
            contributions={group: float(part[i]) for group, part in scores.contributions.items()},
        )
        for i, recommendation in enumerate(recommendations)
    ]


def _at(scores: Scores, level: Level) -> np.ndarray:
    return {"conservative": scores.cautious, "balanced": scores.mean, "aggressive": scores.hopeful}[level.value]
