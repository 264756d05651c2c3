"""Of which parts of a remedy something may be said in numbers: those that everybody may see (analytics/privacy.py).

To find that out takes a look at all its parts; it is kept until somebody reports on the remedy again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import TypeVar

from analytics import evidence, privacy
from analytics.effectiveness import Counts
from analytics.subjects import Kind, Subject
from diagnoses.mizaj import Mizaj
from diagnoses.models import Condition
from predictions import cache

Part = TypeVar("Part", str, int)


@dataclass(frozen=True)
class Tellable:
    """Whether the remedy as a whole, by which condition, and by which mizaj, with the patients who reported on it."""

    total: bool = False
    conditions: list[int] = field(default_factory=list)
    patients: dict[str, int] = field(default_factory=dict)


def tellable(remedies: Mapping[int, Counts]) -> dict[int, Tellable]:
    """By primary key. The counts are what was reported on each by now; no query while nothing new was."""
    keys = {pk: _key(pk, counts) for pk, counts in remedies.items()}
    kept = cache.read(keys.values())
    found = {pk: Tellable(*kept[key]) for pk, key in keys.items() if key in kept}
    made = _look([pk for pk, counts in remedies.items() if pk not in found and counts.n])
    cache.write({keys[pk]: astuple(parts) for pk, parts in made.items()})
    return dict.fromkeys(remedies, Tellable()) | found | made


def _key(remedy: int, counts: Counts) -> str:
    return f"tellable:{remedy}:{evidence.window_start()}:{counts.successes}of{counts.n}"


def _look(remedies: list[int]) -> dict[int, Tellable]:
    if not remedies:
        return {}
    conditions = list(Condition.objects.values_list("pk", flat=True))
    totals = privacy.with_enough_patients(Kind.REMEDY, [str(pk) for pk in remedies])
    mizajes = _shown({pk: {mizaj: Subject.remedy_mizaj(pk, mizaj) for mizaj in ["", *Mizaj]} for pk in remedies})
    pairs = _shown({pk: {one: Subject.remedy_condition(pk, one) for one in conditions} for pk in remedies})
    patients = privacy.count_patients(
        Kind.REMEDY_MIZAJ, [one.key for parts in mizajes.values() for one in parts.values()]
    )
    return {
        pk: Tellable(
            total=Subject.remedy(pk) in totals,
            conditions=list(pairs[pk]),
            # Of people whose mizaj is not known nothing is said.
            patients={str(mizaj): patients[one] for mizaj, one in mizajes[pk].items() if mizaj and one in patients},
        )
        for pk in remedies
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
