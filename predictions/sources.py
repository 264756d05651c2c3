"""What a score rests on most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from analytics.effectiveness import Counts, shares

Source = Literal["own_history", "similar_patients", "remedy_history", "prior"]

# On the logit scale: a group that moves the odds by less than a tenth is not worth a word.
NOTICEABLE = 0.1

OF_GROUP: dict[str, Source] = {
    "patient": "own_history",
    "patient_kind": "own_history",
    "patient_remedy": "own_history",
    "patient_warmth": "own_history",
    "patient_moisture": "own_history",
    "remedy": "remedy_history",
    "kind": "remedy_history",
    "drug_class": "remedy_history",
    "remedy_condition": "similar_patients",
    "remedy_mizaj": "similar_patients",
    "condition": "similar_patients",
    "mizaj": "similar_patients",
    "mizaj_warmth": "similar_patients",
    "mizaj_moisture": "similar_patients",
    "age_band": "similar_patients",
    "sex": "similar_patients",
    "distance": "similar_patients",
}
# Of the levels from everything down to the recommendation; what everything says of a remedy is a guess.
OF_LEVEL: list[Source] = ["prior", "remedy_history", "similar_patients", "own_history"]


def carried_by_groups(contributions: Mapping[str, float]) -> Source:
    """Of a model's score: where the group that moves it most learned from; `prior` where none moves it noticeably."""
    moving = {group: abs(contributions.get(group, 0.0)) for group in OF_GROUP}
    strongest = max(moving, key=lambda group: moving[group])
    return OF_GROUP[strongest] if moving[strongest] >= NOTICEABLE else "prior"


def carried_by_counts(chains: Sequence[Sequence[Counts]], strength: float) -> list[Source]:
    """Of each effectiveness: the level below everything whose reports weigh most; `prior` where there are none."""
    return [_heaviest(weights) for weights in shares(chains, strength)]


def _heaviest(weights: Sequence[float]) -> Source:
    of_source = dict(zip(OF_LEVEL, weights, strict=True)) | {"prior": 0.0}
    return max(reversed(OF_LEVEL), key=lambda source: of_source[source]) if any(of_source.values()) else "prior"
