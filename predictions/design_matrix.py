"""Columns of tokens and numbers as a sparse matrix, checked on the way in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

FloatArray = NDArray[np.float64]
Codes = NDArray[np.int32]

# Beyond these, squares and sums of them would overflow or vanish, and a model could not be scored.
LARGEST = 1e12
SMALLEST_SCALE, LARGEST_SCALE = 1e-6, 1e6
NONE = -1


def token_of(*attributes: str) -> str:
    """What stands for these together."""
    return "|".join(attributes)


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of n rows of text, coded once: a million rows share one string per token.

    `codes`, shape (n,), holds the place of each row's token in `labels`, `NONE` where it has none. The token counts
    `factors` times, shape (n,), 1 where it is None: a coefficient per token becomes a slope per token. Labels may be
    unused; none is empty or comes twice.
    """

    labels: Sequence[str]
    codes: Codes
    factors: FloatArray | None = None

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """One token per row, "" for none."""
        places: dict[str, int] = {}
        found = [places.setdefault(text, len(places)) if text else NONE for text in texts]
        return cls(list(places), np.array(found, dtype=np.int32))

    @property
    def shape(self) -> tuple[int]:
        """That of the other kind of column: (n,)."""
        return (len(self.codes),)

    def __getitem__(self, rows: Any) -> Self:
        factors = None if self.factors is None else self.factors[rows]
        return type(self)(self.labels, self.codes[rows], factors)

    def paired_with(self, other: Coded) -> Coded:
        """The pairs of two columns' tokens; none where either has none."""
        both = (self.codes >= 0) & (other.codes >= 0)
        pairs = self.codes[both].astype(np.int64) * len(other.labels) + other.codes[both]
        found, places = np.unique(pairs, return_inverse=True)
        numbers = (part.tolist() for part in np.divmod(found, max(len(other.labels), 1)))
        labels = [token_of(self.labels[left], other.labels[right]) for left, right in zip(*numbers, strict=True)]
        codes = np.full(len(both), NONE, dtype=np.int32)
        codes[both] = places
        return Coded(labels, codes)

    def renamed(self, name: Callable[[str], str]) -> Coded:
        """Each token under another name, which several may share; none where the name is empty."""
        groups = Coded.of(map(name, self.labels))
        return Coded(groups.labels, np.append(groups.codes, np.int32(NONE))[self.codes])  # NONE finds the last

    def times(self, numbers: FloatArray) -> Coded:
        """Slopes: a row counts `numbers` times; where that is not known (NaN) its token is left out."""
        known = ~np.isnan(numbers)
        return Coded(self.labels, np.where(known, self.codes, NONE), np.where(known, numbers, 0.0))


Column = NDArray[Any] | Coded
Columns = Mapping[str, Column]


def coded(name: str, values: Column) -> Coded | None:
    """A column of text as codes; None for one of numbers."""
    if isinstance(values, Coded):
        return values
    return Coded.of(texts_of(name, values)) if is_text(values) else None


def coded_numbers(name: str, values: Column, center: float) -> Coded:
    """A column of numbers as the slopes of a single token, from `center`, on which rows without a number stand."""
    numbers = np.nan_to_num(numbers_of(name, values) - center, nan=0.0)
    return Coded([name], np.zeros(len(numbers), dtype=np.int32), numbers)


def center_of(name: str, values: Column, weights: FloatArray) -> float:
    """The weighted mean of the numbers that are known; 0 where none counts."""
    numbers = numbers_of(name, values)
    counted = np.where(np.isnan(numbers), 0.0, weights)
    return float(np.average(np.nan_to_num(numbers), weights=counted)) if counted.any() else 0.0


def joined(first: Column, second: Column) -> Column:
    """The rows of one column, then those of another of the same kind."""
    if not isinstance(first, Coded) and not isinstance(second, Coded):
        return np.concatenate([first, second])
    if not isinstance(first, Coded) or not isinstance(second, Coded):
        raise ValueError("columns to join must be of one kind")
    places = {label: place for place, label in enumerate(first.labels)}
    table = [places.setdefault(label, len(places)) for label in second.labels]
    codes = np.array([*table, NONE], dtype=np.int32)[second.codes]
    factors = None
    if first.factors is not None and second.factors is not None:
        factors = np.concatenate([first.factors, second.factors])
    return Coded(list(places), np.concatenate([first.codes, codes]), factors)


def encode(column: Coded) -> tuple[list[str], sparse.csr_array]:
    """The tokens of a column, sorted, and its sparse block of shape (n, tokens)."""
    used = np.flatnonzero(np.bincount(column.codes[column.codes >= 0], minlength=len(column.labels)))
    # Sorted, so that the order of the rows leaves no trace in the model.
    order = sorted(used.tolist(), key=column.labels.__getitem__)
    places = np.full(len(column.labels) + 1, NONE, dtype=np.int32)
    places[order] = np.arange(len(order))
    codes = places[column.codes]
    present = codes >= 0
    factors = np.ones(len(codes)) if column.factors is None else column.factors
    starts = np.append(0, np.cumsum(present)).astype(np.int32)
    block = sparse.csr_array((factors[present], codes[present], starts), shape=(len(codes), len(order)))
    return [column.labels[place] for place in order], block


def texts_of(name: str, values: NDArray[Any]) -> list[str]:
    cells: list[str] = values.tolist()
    if cells and not (is_text(values) and all(issubclass(kind, str) for kind in set(map(type, cells)))):
        raise ValueError(f"column {name!r} must hold text, with '' for absent")
    return cells


def numbers_of(name: str, values: Column) -> FloatArray:
    if isinstance(values, Coded) or (values.size and values.dtype.kind not in "fiub"):
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
    if checked.shape != (rows,) or not ((checked >= 0) & (checked <= 1)).all():
        raise ValueError("outcomes must be from 0 to 1, one per row")
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


def _usable(scale: float) -> bool:
    return scale == 0 or SMALLEST_SCALE <= scale <= LARGEST_SCALE
