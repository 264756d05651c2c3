"""What a sentence may say of a remedy in numbers: exactly what everybody may see of it (analytics/privacy.py).

To find out which parts of a remedy may be shown takes a look at all its parts; it is kept until somebody reports on the
remedy again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import TypeVar

from analytics import evidence, privacy
from analytics.effectiveness import Counts
from analytics.evidence import Evidence
from analytics.subjects import Kind, Subject
from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition
from predictions import cache

# Successes, and the reports among which they are.
Told = tuple[int, int]
Part = TypeVar("Part", str, int)


@dataclass(frozen=True)
class Figures:
    """Of the last 90 days; what may not be told is missing. `patients`: how many reported, by mizaj."""

    total: Told | None = None
    by_mizaj: dict[str, Told] = field(default_factory=dict)
    by_condition: dict[int, Told] = field(default_factory=dict)
    patients: dict[str, int] = field(default_factory=dict)


def figures_of(remedies: Mapping[int, Counts]) -> dict[int, Figures]:
    """By primary key. The counts are what was reported on each by now; no query while nothing new was."""
    keys = {pk: _key(pk, counts) for pk, counts in remedies.items()}
    kept = cache.read(keys.values())
    found = {pk: Figures(*kept[key]) for pk, key in keys.items() if key in kept}
    made = _make({pk: counts for pk, counts in remedies.items() if pk not in found})
    cache.write({keys[pk]: astuple(figures) for pk, figures in made.items()})
    return found | made


def _key(remedy: int, counts: Counts) -> str:
    return f"figures:{remedy}:{evidence.window_start()}:{counts.successes}of{counts.n}"


def _make(remedies: Mapping[int, Counts]) -> dict[int, Figures]:
    tried = {pk: counts for pk, counts in remedies.items() if counts.n}
    if not tried:
        return dict.fromkeys(remedies, Figures())
    conditions = list(Condition.objects.values_list("pk", flat=True))
    totals = privacy.with_enough_patients(Kind.REMEDY, [str(pk) for pk in tried])
    mizajes = _shown({pk: {mizaj: Subject.remedy_mizaj(pk, mizaj) for mizaj in ["", *Mizaj.values]} for pk in tried})
    pairs = _shown({pk: {one: Subject.remedy_condition(pk, one) for one in conditions} for pk in tried})
    by_mizaj = [subject for parts in mizajes.values() for mizaj, subject in parts.items() if mizaj]
    known = evidence.collect([*by_mizaj, *(subject for parts in pairs.values() for subject in parts.values())])
    patients = privacy.count_patients(Kind.REMEDY_MIZAJ, [subject.key for subject in by_mizaj])
    return {
        pk: Figures(
            total=(counts.successes, counts.n) if Subject.remedy(pk) in totals else None,
            by_mizaj=_told(mizajes.get(pk, {}), known),
            by_condition=_told(pairs.get(pk, {}), known),
            patients={mizaj: patients[one] for mizaj, one in mizajes.get(pk, {}).items() if one in patients},
        )
        for pk, counts in remedies.items()
    }


def _shown(parts: Mapping[int, Mapping[Part, Subject]]) -> dict[int, dict[Part, Subject]]:
    """Of the parts of each remedy those that may be shown. One query."""
    every = [subject for own in parts.values() for subject in own.values()]
    patients = privacy.first_patients(every[0].kind, [subject.key for subject in every]) if every else {}
    found = {}
    for pk, own in parts.items():
        publishable = privacy.publishable({subject: patients[subject] for subject in own.values()})
        found[pk] = {part: subject for part, subject in own.items() if subject in publishable}
    return found


def _told(parts: Mapping[Part, Subject], known: Mapping[Subject, Evidence]) -> dict[Part, Told]:
    """Reports of people whose mizaj is not known have no evidence here: nothing is said of them."""
    counts = {part: known[subject].counts for part, subject in parts.items() if subject in known}
    return {part: (own.successes, own.n) for part, own in counts.items()}
