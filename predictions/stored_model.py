"""Reads a model that was stored, trusting nothing."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np

from predictions.design_matrix import LARGEST, LARGEST_SCALE, SMALLEST_SCALE, FloatArray


class DamagedModel(ValueError):
    """A stored model that is not one `Model.to_dict` has written."""


class GroupFields(TypedDict):
    name: str
    scale: float
    tokens: list[str] | None
    means: FloatArray
    variances: FloatArray
    center: float


def group_fields(stored: object) -> GroupFields:
    """What a group is made of. Raises DamagedModel saying what is wrong."""
    fields = fields_of(stored, {"name", "scale", "tokens", "means", "variances", "center"}, "group")
    name = fields["name"]
    if not isinstance(name, str) or not name:
        raise DamagedModel("group: its name must be a string that is not empty")
    what = f"group {name!r}"
    scale = float(finite([fields["scale"]], f"{what}, scale")[0])
    tokens = tokens_of(fields["tokens"], what)
    center = float(finite([fields["center"]], f"{what}, center")[0])
    means = finite(fields["means"], f"{what}, means")
    variances = finite(fields["variances"], f"{what}, variances")
    if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
        raise DamagedModel(f"{what}: its scale must be positive, from {SMALLEST_SCALE} to {LARGEST_SCALE}")
    if not len(means) == len(variances) == (1 if tokens is None else len(tokens)):
        raise DamagedModel(f"{what}: means and variances must be as many as its tokens")
    # Data can only narrow the prior; the margin is for rounding.
    if (variances <= 0).any() or (variances > scale**2 * (1 + 1e-9)).any():
        raise DamagedModel(f"{what}: variances must be above 0 and at most its scale squared")
    return {"name": name, "scale": scale, "tokens": tokens, "means": means, "variances": variances, "center": center}


def fields_of(stored: object, names: set[str], what: str) -> dict[str, Any]:
    if not isinstance(stored, dict) or set(stored) != names:
        raise DamagedModel(f"{what}: must be an object of exactly {', '.join(sorted(names))}")
    return stored


def finite(stored: object, what: str) -> FloatArray:
    # NumPy would turn "1" and True into numbers without a word.
    if not isinstance(stored, list) or not set(map(type, stored)) <= {int, float}:
        raise DamagedModel(f"{what}: must be a list of numbers")
    # Comparing Python's own numbers: an integer may be too large for a float, and NaN is never within.
    if not all(-LARGEST <= number <= LARGEST for number in stored):
        raise DamagedModel(f"{what}: holds a number that is not finite or beyond {LARGEST}")
    return np.array(stored, dtype=np.float64)


def tokens_of(stored: object, what: str) -> list[str] | None:
    if stored is None:
        return None
    if not isinstance(stored, list) or not set(map(type, stored)) <= {str}:
        raise DamagedModel(f"{what}: tokens must be a list of strings, or null")
    if any(token >= following for token, following in zip(["", *stored], stored, strict=False)):
        raise DamagedModel(f"{what}: tokens must be sorted, distinct and not empty")
    return stored
