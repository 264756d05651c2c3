from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from predictions.metrics import CalibrationBin
from predictions.training import Quality

NAMES = {
    "model": "this model",
    "active": "model in use",
    "shrunken_rates": "shrunken rates",
    "fixed_formula": "fixed formula",
}


def quality_table(title: str, qualities: Mapping[str, Quality]) -> Table:
    """One row per predictor, for a terminal."""
    table = Table(title=title)
    table.add_column("predictor")
    for heading in ("AUC", "Brier", "log loss", "calibration error"):
        table.add_column(heading, justify="right")
    for name, quality in qualities.items():
        auc = "–" if quality.auc is None else f"{quality.auc:.3f}"
        table.add_row(
            NAMES.get(name, name),
            auc,
            f"{quality.brier:.4f}",
            f"{quality.log_loss:.4f}",
            f"{quality.calibration_error:.3f}",
        )
    return table


def calibration_table(bins: Sequence[CalibrationBin]) -> Table:
    """What was predicted beside what happened, lowest first, for a terminal."""
    table = Table(title="Calibration by tenths")
    for heading in ("reports", "predicted", "happened"):
        table.add_column(heading, justify="right")
    for part in bins:
        table.add_row(str(part.count), f"{part.predicted:.3f}", f"{part.observed:.3f}")
    return table
