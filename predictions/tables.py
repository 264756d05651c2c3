from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

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
