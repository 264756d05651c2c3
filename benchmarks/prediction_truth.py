"""How much of what could be known is found, on a clinic whose truth is known: `make bench-predictions`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.special import logit

from benchmarks import embedded  # noqa: F401  (before the clinic's modules)
from benchmarks.truth import AXES, Clinic, FloatArray, IntArray, clinic
from diagnoses.mizaj import Mizaj
from predictions import metrics
from predictions.design_matrix import Coded
from predictions.engine import Scores
from predictions.features import Cases, Reports
from predictions.training import (
    HOLDOUT_SHARE,
    Settings,
    ShrunkenRates,
    choose_settings,
    evaluate_baseline,
    quality_of,
)

REPORTS = 80_000
SEEDS = (1, 2, 3)
Z_90 = 1.644854
# The standard deviations that benchmarks/truth.py draws with: what a model could at best be told.
TRUE_SCALES = {
    "remedy": 0.7,
    "condition": 0.3,
    "patient": 1.0,
    "patient_kind": 0.4,
    "patient_warmth": 0.6,
    "patient_moisture": 0.6,
    "remedy_mizaj": 0.25,
    "mizaj_warmth": 1.5,
    "mizaj_moisture": 1.5,
    "distance": 2.0,
}


@dataclass(frozen=True)
class Found:
    """On the newest tenth. `share` is how much of the way from the shrunken rates' AUC to the oracle's was gone, and
    `covered` how many true probabilities lie in the 90 % interval."""

    rates: float
    oracle: float
    auc: float
    covered: float
    calibration: float
    told: float

    @property
    def share(self) -> float:
        return self.share_of(self.auc)

    def share_of(self, auc: float) -> float:
        return (auc - self.rates) / (self.oracle - self.rates)


def measure(console: Console) -> dict[str, bool]:
    rows = [found(seed) for seed in SEEDS]
    console.print(table_of(rows))
    return {
        "90 % of the oracle's AUC gain": all(row.share >= 0.9 for row in rows),
        "90 % intervals cover 85-95 %": all(0.85 <= row.covered <= 0.95 for row in rows),
    }


def found(seed: int) -> Found:
    drawn = clinic(seed, REPORTS)
    reports, newest = reports_of(drawn), round(REPORTS * HOLDOUT_SHARE)
    seen, unseen, chances = reports[:-newest], reports[-newest:], drawn.chance[-newest:]
    columns = unseen.cases.columns()
    scores = choose_settings(seen).fit(seen).score(columns)
    told = Settings(TRUE_SCALES).fit(seen).score(columns)
    return Found(
        rates=evaluate_baseline(ShrunkenRates, seen, unseen).auc or 0.0,
        oracle=metrics.auc(unseen.outcomes, chances) or 0.0,
        auc=metrics.auc(unseen.outcomes, scores.mean) or 0.0,
        covered=covered(scores, chances),
        calibration=quality_of(unseen.outcomes, scores.mean).calibration_error,
        told=metrics.auc(unseen.outcomes, told.mean) or 0.0,
    )


def covered(scores: Scores, chances: FloatArray) -> float:
    return float(np.mean(np.abs(logit(chances) - scores.logit) <= Z_90 * scores.deviation))


def reports_of(drawn: Clinic) -> Reports:
    """As training would read them from a database."""
    warmth, moisture = (degrees[drawn.remedy].astype(float) for degrees in (drawn.warmth_of, drawn.moisture_of))
    axes = AXES[drawn.imbalance]
    nothing = np.full(len(drawn.day), np.nan)
    tokens = {
        "remedy": _numbered("remedy", drawn.remedy),
        "kind": _numbered("kind", drawn.kind_of[drawn.remedy]),
        "condition": _numbered("condition", drawn.condition),
        "patient": _numbered("patient", drawn.patient),
        "mizaj": Coded(Mizaj.values, drawn.mizaj_of[drawn.patient].astype(np.int32)),
        "sex": Coded.of([""] * len(drawn.day)),
        "age_band": Coded.of([""] * len(drawn.day)),
    }
    numbers = {
        "warmth": warmth,
        "moisture": moisture,
        "distance": np.hypot(warmth + 2 * axes[:, 0], moisture + 2 * axes[:, 1]) / 4,
        "compliance": nothing,
    }
    outcomes = drawn.success.astype(np.float64)
    return Reports(Cases(tokens, numbers), outcomes, drawn.day * 86_400, np.zeros(len(drawn.day), dtype=np.int64))


def _numbered(name: str, places: IntArray) -> Coded:
    return Coded([f"{name}-{place}" for place in range(places.max() + 1)], places.astype(np.int32))


def table_of(rows: list[Found]) -> Table:
    table = Table(title=f"Clinics with known truth, {REPORTS:,} reports, measured on the newest tenth")
    measures = ("share", "share, scales told", "covered", "calibration")
    for heading in ("seed", "rates' AUC", "this model", "oracle", *measures):
        table.add_column(heading, justify="right")
    for seed, row in zip(SEEDS, rows, strict=True):
        numbers = [row.rates, row.auc, row.oracle]
        shares = [row.share, row.share_of(row.told), row.covered]
        table.add_row(
            str(seed),
            *(f"{number:.3f}" for number in numbers),
            *(f"{share:.1%}" for share in shares),
            f"{row.calibration:.3f}",
        )
    return table
