"""Remedies compared with each other: the lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext
from scipy.special import betaincinv

from analytics import evidence, privacy
from analytics.effectiveness import surely_moving
from analytics.evidence import WINDOW_DAYS, Evidence, Finding
from analytics.subjects import EVERYTHING, Kind, Subject
from analytics.wording import percent
from diagnoses.models import Remedy

DEFAULT_LIMIT, MAX_LIMIT, MIN_SAMPLES = 10, 50, 5


@dataclass(frozen=True)
class RankedRemedy:
    remedy: Remedy
    finding: Finding


def most_effective(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    return named(best_first(compare(min_samples, days))[:limit])


def worst_performing(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    return named(worst_first(compare(min_samples, days))[:limit])


def trending(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    return named(moving(compare(min_samples, days))[:limit])


def side_effects(*, limit: int, min_samples: int, days: int | None = WINDOW_DAYS) -> list[RankedRemedy]:
    """Remedies with severe side effects first, then with any, each by the share that is surely reached."""
    found = [finding for finding in compare(min_samples, days) if finding.side_effect_rate]
    return named(sorted(found, key=_harm)[:limit])


def compare(min_samples: int, days: int | None, known: Mapping[Subject, Evidence] | None = None) -> list[Finding]:
    """Of every remedy that may be described. `known` is the evidence about all remedies and everything, if at hand.

    So many are compared that one in twenty would seem to move by chance alone: a trend is called one only where the
    false discovery rate allows it.
    """
    known = known or evidence.collect_kind(Kind.REMEDY, days, and_also=EVERYTHING)
    keys = [
        subject.key
        for subject, found in known.items()
        if subject != EVERYTHING and found.window.n >= max(min_samples, MIN_SAMPLES)
    ]
    shown = sorted(privacy.with_enough_patients(Kind.REMEDY, keys, days))
    return _without_false_trends(evidence.find_all([[EVERYTHING, subject] for subject in shown], known))


def _without_false_trends(findings: Sequence[Finding]) -> list[Finding]:
    surely = surely_moving([finding.trend_probability for finding in findings])
    return [
        replace(finding, trend="stable") if finding.trend in ("improving", "declining") and not moves else finding
        for finding, moves in zip(findings, surely, strict=True)
    ]


def best_first(findings: Iterable[Finding]) -> list[Finding]:
    """By the lower end of the interval: three lucky reports beat nobody."""
    return sorted(findings, key=lambda finding: (-finding.estimate.interval[0], finding.subject))


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """By the upper end of the interval: a remedy is called bad only when even the best case is."""
    return sorted(findings, key=lambda finding: (finding.estimate.interval[1], finding.subject))


def moving(findings: Iterable[Finding]) -> list[Finding]:
    """Those that move, the surest first."""
    found = [finding for finding in findings if finding.trend in ("improving", "declining")]
    return sorted(found, key=lambda finding: (-_sureness(finding), finding.subject))


def named(findings: Sequence[Finding], remedy_of: Mapping[Subject, int] | None = None) -> list[RankedRemedy]:
    """`remedy_of` says which remedy a finding is about, where it is not about the remedy as a whole."""
    keys = [remedy_of[one.subject] if remedy_of else int(one.subject.key) for one in findings]
    remedies = Remedy.objects.in_bulk(keys)
    return [RankedRemedy(remedies[key], finding) for key, finding in zip(keys, findings, strict=True)]


def alert(row: RankedRemedy) -> str:
    """What staff should know of a remedy that does badly; empty where even that is not sure."""
    upper = row.finding.estimate.interval[1]
    if upper >= 0.5:
        return ""
    said = gettext("At most %(percent)s of the reports call it a success, even in the best case.")
    if row.finding.trend == "declining":
        said = f"{said} {gettext('It is getting worse.')}"
    return said % {"percent": percent(upper)}


def _sureness(finding: Finding) -> float:
    return abs((finding.trend_probability or 0.5) - 0.5)


def _harm(finding: Finding) -> tuple[float, float, Subject]:
    n = finding.estimate.sample_size
    severe = _surely_at_least(finding.severe_rate or 0, n)
    return -severe, -_surely_at_least(finding.side_effect_rate or 0, n), finding.subject


def _surely_at_least(share: float, n: int) -> float:
    """The lower end of the 95 % interval of a share of n."""
    count = round(share * n)
    return float(betaincinv(1 + count, 1 + n - count, 0.025))
