"""What was predicted against what happened: by model version, by month of the report, and by group of people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from feedback.models import SUCCESS_RATING
from predictions.fairness import Fairness, fairness
from predictions.figures import Figures, figures
from predictions.models import PredictionRecord

MONTHS, MOST_MONTHS = 6, 24
# A withdrawn or a changed report may count as it was for so long.
REMEMBERED_SECONDS = 60
# Attributes of people, as they were when a prediction was shown, by which it must be equally good.
ATTRIBUTES = ("sex", "age_band", "mizaj")

_ROW = np.dtype(
    [("version", "i4"), ("predicted", "f8"), ("at", "f8"), ("happened", "f8"), ("patient", "i8")]
    + [(name, "i4") for name in ATTRIBUTES]
)
Rows = NDArray[np.void]


@dataclass(frozen=True)
class OfVersion:
    """`version` 0 is the estimate from the evidence."""

    version: int
    figures: Figures


@dataclass(frozen=True)
class OfMonth:
    """What a version said of the outcomes reported in the month that begins with `month`."""

    version: int
    month: date
    figures: Figures


@dataclass(frozen=True)
class Breakdown:
    attribute: str
    fairness: Fairness


@dataclass(frozen=True)
class Accuracy:
    """Newest versions and months first; `overall` is None and the lists are empty where nothing came of anything."""

    since: date
    overall: Figures | None
    versions: list[OfVersion]
    months: list[OfMonth]
    groups: list[Breakdown]


@dataclass(frozen=True)
class Outcomes:
    """A row for each prediction with a standing report; `names` has what the numbers in a column of it stand for."""

    rows: Rows
    names: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.rows)


def accuracy(*, version: int | None = None, months: int = MONTHS) -> Accuracy:
    """Of one version or all, over the last calendar months with this one; looked up once a minute in each process.

    Not in the shared cache: Redis carries nothing about anybody's health.
    """
    return _remembered(version, months, int(monotonic() // REMEMBERED_SECONDS))


@lru_cache(maxsize=16)
def _remembered(version: int | None, months: int, minute: int) -> Accuracy:
    starts = _month_starts(months)
    found = outcomes(since=_midnight(starts[0]), version=version)
    return Accuracy(
        since=starts[0],
        overall=_figures(found.rows) if len(found) else None,
        versions=_by_version(found.rows),
        months=_by_month(found.rows, starts),
        groups=_by_group(found) if len(found) else [],
    )


def of_last_days(days: int, *, version: int) -> Figures | None:
    """What a version said of the outcomes of the last `days` times 24 hours; None where there are none."""
    found = outcomes(since=timezone.now() - timedelta(days=days), version=version)
    return _figures(found.rows) if len(found) else None


def outcomes(*, since: datetime, version: int | None = None) -> Outcomes:
    """Of reports given since then, from one query; 48 bytes a row in memory."""
    records = PredictionRecord.objects.with_outcome(since)
    if version is not None:
        records = records.filter(model_version=version)
    columns = ("model_version", "predicted", "reported_at", "feedback__rating", "patient_id", *ATTRIBUTES)
    numbers: dict[str, dict[Any, int]] = {name: {} for name in ("patient", *ATTRIBUTES)}
    found = records.order_by().values_list(*columns).iterator(chunk_size=10_000)
    rows = np.fromiter(_rows(found, numbers), dtype=_ROW)
    return Outcomes(rows, {name: list(numbers[name]) for name in ATTRIBUTES})


def _rows(found: Iterator[Any], numbers: dict[str, dict[Any, int]]) -> Iterator[tuple[Any, ...]]:
    """Who and what people are is counted through as it comes."""
    codes = list(numbers.values())
    for version, predicted, at, rating, *who in found:
        coded = (code.setdefault(value, len(code)) for code, value in zip(codes, who, strict=True))
        yield (version, predicted, at.timestamp(), rating >= SUCCESS_RATING, *coded)


def _figures(rows: Rows) -> Figures:
    return figures(rows["happened"], rows["predicted"], rows["patient"])


def _by_version(rows: Rows) -> list[OfVersion]:
    versions = np.unique(rows["version"])[::-1]
    return [OfVersion(int(version), _figures(rows[rows["version"] == version])) for version in versions]


def _by_month(rows: Rows, starts: list[date]) -> list[OfMonth]:
    places = np.searchsorted([_midnight(start).timestamp() for start in starts], rows["at"], side="right") - 1
    pairs = sorted(set(zip(places.tolist(), rows["version"].tolist(), strict=True)), reverse=True)
    return [
        OfMonth(version, starts[place], _figures(rows[(places == place) & (rows["version"] == version)]))
        for place, version in pairs
    ]


def _by_group(found: Outcomes) -> list[Breakdown]:
    rows = found.rows
    return [
        Breakdown(
            attribute,
            fairness(
                rows["happened"], rows["predicted"], np.array(found.names[attribute])[rows[attribute]], rows["patient"]
            ),
        )
        for attribute in ATTRIBUTES
    ]


def _month_starts(months: int) -> list[date]:
    """Of the last calendar months with this one, oldest first."""
    today = timezone.localdate()
    this = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(this - months + 1, this + 1)]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
