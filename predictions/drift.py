"""Whether the model in use still says what happens: measured now and then, for Prometheus to raise the alarm."""

from __future__ import annotations

from math import nan

from avicenna.metrics import (
    prediction_calibration_error,
    prediction_calibration_error_at_least,
    prediction_outcomes,
)
from predictions.accuracy import of_last_days
from predictions.figures import Figures
from predictions.models import PredictionModel

WINDOW_DAYS = 7
WINDOW = f"{WINDOW_DAYS}d"


def lately() -> Figures | None:
    """Over the reports of the last WINDOW_DAYS on what the version in use had said; `docs/numbers.md` says how many
    it takes. None where there are none."""
    version = PredictionModel.objects.filter(is_active=True).values_list("version", flat=True).first()
    return of_last_days(WINDOW_DAYS, version=version or 0)


def measure_drift() -> None:
    found = lately()
    prediction_outcomes.labels(WINDOW).set(found.outcomes if found else 0)
    prediction_calibration_error.labels(WINDOW).set(found.calibration_error if found else nan)
    prediction_calibration_error_at_least.labels(WINDOW).set(found.calibration_error_at_least if found else nan)
