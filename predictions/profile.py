"""What the system has learned about one patient: from all their own reports, and from the model in use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q

from analytics.effectiveness import Counts, Estimate, estimates
from diagnoses.models import Patient, Remedy
from feedback.models import SUCCESS_RATING, Feedback
from predictions.design_matrix import token_of
from predictions.registry import ActiveModel, registry

NAMED = 3


@dataclass(frozen=True)
class Experience:
    """With one remedy. The estimate is drawn to the patient's experience with all remedies, the less it is known."""

    remedy: Remedy
    estimate: Estimate


@dataclass(frozen=True)
class Leaning:
    """Own reports, and what the model multiplies the odds of success by; None where it has learned nothing."""

    counts: Counts
    odds_factor: float | None


@dataclass(frozen=True)
class Profile:
    """`best` are better than the patient's average, the surest first; `worst` are below it."""

    patient: Patient
    model_version: int | None
    overall: Leaning
    kinds: dict[Remedy.Kind, Leaning]
    best: list[Experience]
    worst: list[Experience]


def profile_of(patient: Patient) -> Profile:
    """As many queries however much was reported."""
    active, name = registry.active(), patient.pk.hex
    reported = _reported(patient)
    total = _total(reported.values())
    tried = list(reported)
    found = estimates([[total, reported[remedy]] for remedy in tried]) if tried else []
    experiences = [Experience(remedy, estimate) for remedy, estimate in zip(tried, found, strict=True)]
    average = estimates([[total]])[0].score
    better = [one for one in experiences if one.estimate.score >= average]
    worse = [one for one in experiences if one.estimate.score < average]
    of_kind = {kind: _total(own for remedy, own in reported.items() if remedy.kind == kind) for kind in Remedy.Kind}
    return Profile(
        patient=patient,
        model_version=active.version if active else None,
        overall=Leaning(total, _factor(active, "patient", name)),
        kinds={kind: Leaning(own, _factor(active, "patient_kind", name, kind)) for kind, own in of_kind.items()},
        best=sorted(better, key=lambda one: (-one.estimate.interval[0], one.remedy.slug))[:NAMED],
        worst=sorted(worse, key=lambda one: (one.estimate.interval[1], one.remedy.slug))[:NAMED],
    )


def _reported(patient: Patient) -> dict[Remedy, Counts]:
    """Remedy → all that the patient ever reported on it. Two queries."""
    own = Feedback.objects.standing().filter(patient=patient).order_by().values_list("recommendation__remedy")
    counted = own.annotate(n=Count("pk"), good=Count("pk", filter=Q(rating__gte=SUCCESS_RATING)))
    counts = {pk: Counts(n, good) for pk, n, good in counted}
    return {remedy: counts[pk] for pk, remedy in Remedy.objects.in_bulk(counts).items()}


def _total(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())


def _factor(active: ActiveModel | None, name: str, *attributes: str) -> float | None:
    group = next((group for group in active.model.groups if group.name == name), None) if active else None
    return group.odds_factor(token_of(*attributes)) if group else None
