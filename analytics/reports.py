"""What the endpoints say: one function per report, typed rows, from rollups only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.special import betaincinv

from analytics import evidence
from analytics.effectiveness import Counts, Estimate, estimate
from analytics.evidence import Evidence, Finding
from analytics.subjects import EVERYTHING, Kind, Subject, chain_of_recommendation
from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition, Diagnosis, Recommendation, Remedy

DEFAULT_LIMIT, MAX_LIMIT, MIN_SAMPLES = 10, 50, 5


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
class DiagnosisReport:
    diagnosis: Diagnosis
    overall: Estimate
    recommendations: list[tuple[Recommendation, Finding]]


def recommendation_report(recommendation: Recommendation) -> Finding:
    chain = _chain(recommendation, recommendation.diagnosis.condition_id)
    return evidence.find(chain, evidence.collect(chain))


def diagnosis_report(diagnosis: Diagnosis) -> DiagnosisReport:
    """Every recommendation, and the diagnosis as a whole: the sum of its reports, informed by its condition."""
    recommendations = list(Recommendation.objects.for_list().filter(diagnosis=diagnosis))
    chains = {r.pk: _chain(r, diagnosis.condition_id) for r in recommendations}
    condition = Subject.condition(diagnosis.condition_id)
    known = evidence.collect([EVERYTHING, condition, *(s for chain in chains.values() for s in chain)])
    own = [known[Subject.recommendation(r.pk)].counts for r in recommendations]
    total = Counts(sum(counts.n for counts in own), sum(counts.successes for counts in own))
    return DiagnosisReport(
        diagnosis=diagnosis,
        overall=estimate([known[EVERYTHING].counts, known[condition].counts, total]),
        recommendations=[(r, evidence.find(chains[r.pk], known)) for r in recommendations],
    )


def remedy_report(remedy: Remedy) -> RemedyReport:
    subject = Subject.remedy(remedy.pk)
    known = evidence.collect([EVERYTHING, subject])
    by_mizaj = _breakdown(Kind.REMEDY_MIZAJ, subject, known)
    by_condition = _breakdown(Kind.REMEDY_CONDITION, subject, known)
    conditions = Condition.objects.in_bulk([int(part) for part in by_condition])
    shown = evidence.has_enough_patients(subject)
    return RemedyReport(
        remedy=remedy,
        finding=evidence.find([EVERYTHING, subject], known) if shown else None,
        by_mizaj={Mizaj(part): finding for part, finding in by_mizaj.items()},
        by_condition={conditions[int(part)]: finding for part, finding in by_condition.items()},
    )


def condition_report(condition: Condition) -> ConditionReport:
    """The condition, and the remedies tried for it, best first by the cautious end of the interval."""
    subject = Subject.condition(condition.pk)
    known = evidence.collect([EVERYTHING, subject]) | evidence.collect_kind(Kind.REMEDY)
    pairs = evidence.collect_suffix(Kind.REMEDY_CONDITION, str(condition.pk))
    shown = evidence.count_patients(Kind.REMEDY_CONDITION, [pair.key for pair in pairs])
    findings = {pair: evidence.find(evidence.chain_to(pair), known | pairs) for pair in sorted(shown)}
    remedies = Remedy.objects.in_bulk([int(pair.key.split(":")[0]) for pair in findings])
    enough = evidence.has_enough_patients(subject)
    return ConditionReport(
        condition=condition,
        finding=evidence.find([EVERYTHING, subject], known) if enough else None,
        remedies=_best_first(RankedRemedy(remedies[int(p.key.split(":")[0])], f) for p, f in findings.items()),
    )


def most_effective(*, limit: int, min_samples: int) -> list[RankedRemedy]:
    return _best_first(_remedies(min_samples))[:limit]


def worst_performing(*, limit: int, min_samples: int) -> list[RankedRemedy]:
    """By the upper end of the interval: a remedy is called bad only when even the best case is."""
    ranked = sorted(_remedies(min_samples), key=lambda row: (row.finding.estimate.interval[1], row.remedy.slug))
    return ranked[:limit]


def trending(*, limit: int, min_samples: int) -> list[RankedRemedy]:
    """Those that move, the surest first."""
    moving = [row for row in _remedies(min_samples) if row.finding.trend in ("improving", "declining")]
    return sorted(moving, key=lambda row: (-_sureness(row.finding), row.remedy.slug))[:limit]


def side_effects(*, limit: int, min_samples: int) -> list[RankedRemedy]:
    """Remedies whose reports most surely mention side effects."""
    rows = [row for row in _remedies(min_samples) if row.finding.side_effect_rate]
    return sorted(rows, key=lambda row: (-_surely_at_least(row.finding), row.remedy.slug))[:limit]


def overall() -> Finding:
    return evidence.find([EVERYTHING], evidence.collect([EVERYTHING]))


def _chain(recommendation: Recommendation, condition_id: int) -> list[Subject]:
    return chain_of_recommendation(recommendation.pk, recommendation.remedy_id, condition_id)


def _remedies(min_samples: int) -> list[RankedRemedy]:
    """Every remedy that may be described, with what is known about it."""
    known = evidence.collect_kind(Kind.REMEDY)
    known |= evidence.collect([EVERYTHING])
    keys = [s.key for s, e in known.items() if s.kind is Kind.REMEDY and e.window.n >= max(min_samples, MIN_SAMPLES)]
    shown = evidence.count_patients(Kind.REMEDY, keys)
    remedies = Remedy.objects.in_bulk([int(subject.key) for subject in shown])
    return [
        RankedRemedy(remedies[int(subject.key)], evidence.find([EVERYTHING, subject], known))
        for subject in sorted(shown)
    ]


def _best_first(rows: Iterable[RankedRemedy]) -> list[RankedRemedy]:
    return sorted(rows, key=lambda row: (-row.finding.estimate.interval[0], row.remedy.slug))


def _sureness(finding: Finding) -> float:
    return abs((finding.trend_probability or 0.5) - 0.5)


def _surely_at_least(finding: Finding) -> float:
    n = finding.estimate.sample_size
    mentioned = round((finding.side_effect_rate or 0) * n)
    return float(betaincinv(1 + mentioned, 1 + n - mentioned, 0.025))


def _breakdown(kind: Kind, whole: Subject, known: dict[Subject, Evidence]) -> dict[str, Finding]:
    """The parts of a remedy that may be shown, keyed by what follows the colon."""
    parts = evidence.collect_prefix(kind, whole.key)
    shown = set(evidence.count_patients(kind, [part.key for part in parts]))
    shown = _complementary(shown, parts)
    known = known | parts
    return {part.key.split(":")[1]: evidence.find([EVERYTHING, whole, part], known) for part in sorted(shown)}


def _complementary(shown: set[Subject], parts: dict[Subject, Evidence]) -> set[Subject]:
    """Hides one more part when exactly one is hidden: the whole minus the rest would tell it."""
    if len(parts) - len(shown) != 1 or not shown:
        return shown
    return shown - {min(shown, key=lambda part: (parts[part].window.n, part.key))}
