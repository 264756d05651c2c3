"""What the endpoints say: one function per report, typed rows, from rollups only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from django.utils.translation import gettext
from scipy.special import betaincinv

from analytics import evidence, privacy
from analytics.effectiveness import Counts, Estimate, estimate, surely_moving
from analytics.evidence import WINDOW_DAYS, Evidence, Finding
from analytics.series import Day, daily
from analytics.subjects import EVERYTHING, Kind, Subject, chain_of_recommendation
from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition, Diagnosis, Recommendation, Remedy

DEFAULT_LIMIT, MAX_LIMIT, MIN_SAMPLES = 10, 50, 5
# Which days count, as callers say it; None is all time.
WINDOWS: dict[str, int | None] = {"7": 7, "30": 30, "90": WINDOW_DAYS, "all": None}


@dataclass(frozen=True)
class RankedRemedy:
    remedy: Remedy
    finding: Finding


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
    own = [known[Subject.recommendation(r.pk)].counts for r in recommendations]
    total = Counts(sum(counts.n for counts in own), sum(counts.successes for counts in own))
    everything = known[EVERYTHING]
    return DiagnosisReport(
        diagnosis=diagnosis,
        overall=estimate([everything.counts, known[condition].counts, total], everything.strength),
        recommendations=list(zip(recommendations, evidence.find_all(list(chains.values()), known), strict=True)),
        daily=daily((Subject.recommendation(r.pk) for r in recommendations), days),
    )


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
    terms = Remedy.objects.in_bulk(shown)
    findings = evidence.find_all([[EVERYTHING, Subject.remedy(pk), pair] for pk, pair in shown.items()], known)
    return ConditionReport(
        condition=condition,
        finding=evidence.find([EVERYTHING, together], known) if shown else None,
        remedies=best_first(RankedRemedy(terms[pk], finding) for pk, finding in zip(shown, findings, strict=True)),
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


def most_effective(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    return best_first(remedies(min_samples, days))[:limit]


def worst_performing(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    return worst_first(remedies(min_samples, days))[:limit]


def alert(row: RankedRemedy) -> str:
    """What staff should know of a remedy that does badly; empty where even that is not sure."""
    upper = row.finding.estimate.interval[1]
    if upper >= 0.5:
        return ""
    said = gettext("At most %(percent)d %% of the reports call it a success, even in the best case.")
    if row.finding.trend == "declining":
        said = f"{said} {gettext('It is getting worse.')}"
    return said % {"percent": round(100 * upper)}


def trending(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    return moving(remedies(min_samples, days))[:limit]


def side_effects(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    """Remedies with severe side effects first, then with any, each by the share that is surely reached."""
    rows = [row for row in remedies(min_samples, days) if row.finding.side_effect_rate]
    return sorted(rows, key=_harm)[:limit]


def _chain(recommendation: Recommendation, condition_id: int) -> list[Subject]:
    return chain_of_recommendation(recommendation.pk, recommendation.remedy_id, condition_id)


def remedies(min_samples: int, days: int | None) -> list[RankedRemedy]:
    """Every remedy that may be described, with what is known about it.

    So many are compared that one in twenty would seem to move by chance alone: a trend is called one only where the
    false discovery rate allows it.
    """
    known = evidence.collect_kind(Kind.REMEDY, days)
    keys = [s.key for s, e in known.items() if e.window.n >= max(min_samples, MIN_SAMPLES)]
    shown = sorted(privacy.with_enough_patients(Kind.REMEDY, keys, days))
    known |= evidence.collect([EVERYTHING], days)
    findings = _without_false_trends(evidence.find_all([[EVERYTHING, subject] for subject in shown], known))
    terms = Remedy.objects.in_bulk([int(subject.key) for subject in shown])
    return [RankedRemedy(terms[int(finding.subject.key)], finding) for finding in findings]


def _without_false_trends(findings: Sequence[Finding]) -> list[Finding]:
    surely = surely_moving([finding.trend_probability for finding in findings])
    return [
        replace(finding, trend="stable") if finding.trend in ("improving", "declining") and not moves else finding
        for finding, moves in zip(findings, surely, strict=True)
    ]


def best_first(rows: Iterable[RankedRemedy]) -> list[RankedRemedy]:
    """By the lower end of the interval: three lucky reports beat nobody."""
    return sorted(rows, key=lambda row: (-row.finding.estimate.interval[0], row.remedy.slug))


def worst_first(rows: Iterable[RankedRemedy]) -> list[RankedRemedy]:
    """By the upper end of the interval: a remedy is called bad only when even the best case is."""
    return sorted(rows, key=lambda row: (row.finding.estimate.interval[1], row.remedy.slug))


def moving(rows: Iterable[RankedRemedy]) -> list[RankedRemedy]:
    """Those that move, the surest first."""
    found = [row for row in rows if row.finding.trend in ("improving", "declining")]
    return sorted(found, key=lambda row: (-_sureness(row.finding), row.remedy.slug))


def _sureness(finding: Finding) -> float:
    return abs((finding.trend_probability or 0.5) - 0.5)


def _harm(row: RankedRemedy) -> tuple[float, float, str]:
    n = row.finding.estimate.sample_size
    severe = _surely_at_least(row.finding.severe_rate or 0, n)
    return -severe, -_surely_at_least(row.finding.side_effect_rate or 0, n), row.remedy.slug


def _surely_at_least(share: float, n: int) -> float:
    """The lower end of the 95 % interval of a share of n."""
    count = round(share * n)
    return float(betaincinv(1 + count, 1 + n - count, 0.025))
