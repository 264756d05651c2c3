"""Rows of tokens and numbers as a sparse matrix, checked on the way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]
Columns = Mapping[str, NDArray[Any]]

# Beyond these, squares and sums of them would overflow or vanish, and a model could not be scored.
LARGEST = 1e12
SMALLEST_SCALE, LARGEST_SCALE = 1e-6, 1e6


def encode(name: str, values: NDArray[Any]) -> tuple[list[str] | None, sparse.csr_array]:
    """One column as a sparse block of shape (n, tokens), or (n, 1) for numbers; absent rows are empty."""
    if not is_text(values):
        numbers = numbers_of(name, values)
        present = ~np.isnan(numbers)
        return None, _block(present, np.zeros(present.sum(), dtype=np.int32), numbers[present], 1)
    cells = texts_of(name, values)
    # Sorted, so that the order of the rows leaves no trace in the model.
    tokens = sorted(set(cells) - {""})
    positions = {token: place for place, token in enumerate(tokens)} | {"": -1}
    places = np.fromiter(map(positions.__getitem__, cells), dtype=np.int32, count=len(cells))
    present = places >= 0
    return tokens, _block(present, places[present], np.ones(present.sum()), len(tokens))


def texts_of(name: str, values: NDArray[Any]) -> list[str]:
    cells: list[str] = values.tolist()
    if cells and not (is_text(values) and all(issubclass(kind, str) for kind in set(map(type, cells)))):
        raise ValueError(f"column {name!r} must hold text, with '' for absent")
    return cells


def numbers_of(name: str, values: NDArray[Any]) -> FloatArray:
    if values.size and values.dtype.kind not in "fiub":
        raise ValueError(f"column {name!r} must hold numbers, with NaN for absent")
    numbers = values.astype(np.float64)
    if (np.abs(numbers) > LARGEST).any():
        raise ValueError(f"column {name!r} holds a number beyond {LARGEST}")
    return numbers


def row_count(columns: Columns) -> int:
    shapes = {values.shape for values in columns.values()}
    if len(shapes) != 1 or len(shape := shapes.pop()) != 1:
        raise ValueError("columns must be one or more one-dimensional arrays of one length")
    return int(shape[0])


def checked_outcomes(outcomes: ArrayLike, rows: int) -> FloatArray:
    checked = np.asarray(outcomes, dtype=np.float64)
    if checked.shape != (rows,) or not np.isin(checked, (0.0, 1.0)).all():
        raise ValueError("outcomes must be 0 or 1, one per row")
    return checked


def checked_weights(weights: ArrayLike | None, rows: int) -> FloatArray:
    if weights is None:
        return np.ones(rows)
    checked = np.asarray(weights, dtype=np.float64)
    if checked.shape != (rows,) or not ((checked >= 0) & (checked <= LARGEST)).all():
        raise ValueError(f"weights must be from 0 to {LARGEST}, one per row")
    return checked


def check_scales(columns: Columns, scales: Mapping[str, float]) -> None:
    for name in columns:
        if name not in scales:
            raise ValueError(f"column {name!r} has no scale")
        if not _usable(scales[name]):
            raise ValueError(f"the scale of {name!r} must be 0 or from {SMALLEST_SCALE} to {LARGEST_SCALE}")


def checked_grid(grid: Iterable[float]) -> list[float]:
    steps = sorted(set(grid))
    if not steps or steps[-1] == 0 or not all(map(_usable, steps)):
        raise ValueError(f"grid must hold 0 or scales from {SMALLEST_SCALE} to {LARGEST_SCALE}, not 0 alone")
    return steps


def is_text(values: NDArray[Any]) -> bool:
    return values.dtype.kind in "UOT"


def _block(present: NDArray[np.bool_], places: NDArray[np.int32], data: FloatArray, width: int) -> sparse.csr_array:
    starts = np.append(0, np.cumsum(present)).astype(np.int32)
    return sparse.csr_array((data, places, starts), shape=(len(present), width))


def _usable(scale: float) -> bool:
    return scale == 0 or SMALLEST_SCALE <= scale <= LARGEST_SCALE
