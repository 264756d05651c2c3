"""What the endpoints say: one function per report, typed rows, from rollups only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from analytics import evidence, privacy
from analytics.effectiveness import Counts, Estimate, estimate
from analytics.evidence import WINDOW_DAYS, Evidence, Finding
from analytics.ranking import RankedRemedy, best_first, named
from analytics.series import Day, daily
from analytics.subjects import EVERYTHING, Subject, chain_of_recommendation
from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition, Diagnosis, Recommendation, Remedy

# Which days count, as callers say it; None is all time.
WINDOWS: dict[str, int | None] = {"7": 7, "30": 30, "90": WINDOW_DAYS, "all": None}


@dataclass(frozen=True)
class RemedyReport:
    """`finding` is None while fewer than five patients stand behind it; so is every part of the breakdowns."""

    remedy: Remedy
    finding: Finding | None
    by_mizaj: dict[Mizaj, Finding]
    by_condition: dict[Condition, Finding]


@dataclass(frozen=True)
class ConditionReport:
    condition: Condition
    finding: Finding | None
    remedies: list[RankedRemedy]


@dataclass(frozen=True)
class RecommendationReport:
    finding: Finding
    daily: list[Day]


@dataclass(frozen=True)
class DiagnosisReport:
    diagnosis: Diagnosis
    overall: Estimate
    recommendations: list[tuple[Recommendation, Finding]]
    daily: list[Day]


def recommendation_report(recommendation: Recommendation, *, days: int | None = WINDOW_DAYS) -> RecommendationReport:
    subjects = _chain(recommendation, recommendation.diagnosis.condition_id)
    finding = evidence.find(subjects, evidence.collect(subjects, days))
    return RecommendationReport(finding, daily(subjects[-1:], days))


def diagnosis_report(diagnosis: Diagnosis, *, days: int | None = WINDOW_DAYS) -> DiagnosisReport:
    """Every recommendation, and the diagnosis as a whole: the sum of its reports, informed by its condition."""
    recommendations = list(Recommendation.objects.for_list().filter(diagnosis=diagnosis))
    chains = {r.pk: _chain(r, diagnosis.condition_id) for r in recommendations}
    condition = Subject.condition(diagnosis.condition_id)
    known = evidence.collect([EVERYTHING, condition, *chain.from_iterable(chains.values())], days)
    return DiagnosisReport(
        diagnosis=diagnosis,
        overall=_overall(diagnosis, recommendations, known),
        recommendations=list(zip(recommendations, evidence.find_all(list(chains.values()), known), strict=True)),
        daily=daily((Subject.recommendation(r.pk) for r in recommendations), days),
    )


def overall_of(diagnoses: Iterable[Diagnosis]) -> dict[UUID, Estimate]:
    """What `diagnosis_report` says about each as a whole, in as many queries as for one."""
    diagnoses = list(diagnoses)
    given: dict[UUID, list[Recommendation]] = {diagnosis.pk: [] for diagnosis in diagnoses}
    for recommendation in Recommendation.objects.filter(diagnosis__in=given).only("diagnosis_id"):
        given[recommendation.diagnosis_id].append(recommendation)
    conditions = [Subject.condition(diagnosis.condition_id) for diagnosis in diagnoses]
    own = [Subject.recommendation(r.pk) for r in chain.from_iterable(given.values())]
    known = evidence.collect([EVERYTHING, *conditions, *own], WINDOW_DAYS)
    return {diagnosis.pk: _overall(diagnosis, given[diagnosis.pk], known) for diagnosis in diagnoses}


def _overall(
    diagnosis: Diagnosis, recommendations: Iterable[Recommendation], known: Mapping[Subject, Evidence]
) -> Estimate:
    own = [known[Subject.recommendation(r.pk)].counts for r in recommendations]
    total = Counts(sum(counts.n for counts in own), sum(counts.successes for counts in own))
    everything, condition = known[EVERYTHING], known[Subject.condition(diagnosis.condition_id)]
    return estimate([everything.counts, condition.counts, total], everything.strength)


def remedy_report(remedy: Remedy, *, days: int | None = WINDOW_DAYS) -> RemedyReport:
    whole = Subject.remedy(remedy.pk)
    mizajes = {Subject.remedy_mizaj(remedy.pk, mizaj): mizaj for mizaj in ["", *Mizaj]}
    pairs = {
        Subject.remedy_condition(remedy.pk, pk): condition for pk, condition in Condition.objects.in_bulk().items()
    }
    by_mizaj = sorted(privacy.publishable(_patients(mizajes, days)))
    by_condition = sorted(privacy.publishable(_patients(pairs, days)))
    known = evidence.collect([EVERYTHING, whole, *by_mizaj, *by_condition], days)
    parts = evidence.find_all([[EVERYTHING, whole, part] for part in (*by_mizaj, *by_condition)], known)
    found = {finding.subject: finding for finding in parts}
    return RemedyReport(
        remedy=remedy,
        finding=evidence.find([EVERYTHING, whole], known) if privacy.has_enough_patients(whole, days) else None,
        by_mizaj={Mizaj(mizajes[part]): found[part] for part in by_mizaj if mizajes[part]},
        by_condition={pairs[part]: found[part] for part in by_condition},
    )


def condition_report(condition: Condition, *, days: int | None = WINDOW_DAYS) -> ConditionReport:
    """The remedies tried for a condition, best first by the cautious end of the interval, and these together."""
    shown = _shown_for(condition, days)
    known = evidence.collect([EVERYTHING, *map(Subject.remedy, shown), *shown.values()], days)
    together = Subject.condition(condition.pk)
    known[together] = sum((known[pair] for pair in shown.values()), Evidence())
    findings = evidence.find_all([[EVERYTHING, Subject.remedy(pk), pair] for pk, pair in shown.items()], known)
    return ConditionReport(
        condition=condition,
        finding=evidence.find([EVERYTHING, together], known) if shown else None,
        remedies=named(best_first(findings), {pair: pk for pk, pair in shown.items()}),
    )


def _shown_for(condition: Condition, days: int | None) -> dict[int, Subject]:
    """Remedy → the pair with this condition, where it is among the parts of the remedy that may be shown."""
    remedies = Remedy.objects.values_list("pk", flat=True)
    pairs = {pk: Subject.remedy_condition(pk, condition.pk) for pk in remedies}
    tried = _patients(pairs.values(), days)
    pairs = {pk: pair for pk, pair in pairs.items() if tried[pair]}
    conditions = Condition.objects.values_list("pk", flat=True)
    rows = {pk: [Subject.remedy_condition(pk, other) for other in conditions] for pk in pairs}
    patients = _patients(chain.from_iterable(rows.values()), days)
    return {
        pk: pair
        for pk, pair in pairs.items()
        if pair in privacy.publishable({part: patients[part] for part in rows[pk]})
    }


def _patients(parts: Iterable[Subject], days: int | None) -> dict[Subject, set[Any]]:
    """The first patients of each; all of one kind."""
    parts = list(parts)
    return privacy.first_patients(parts[0].kind, [part.key for part in parts], days) if parts else {}


def _chain(recommendation: Recommendation, condition_id: int) -> list[Subject]:
    return chain_of_recommendation(recommendation.pk, recommendation.remedy_id, condition_id)
