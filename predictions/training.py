"""Trains a model on all but the newest reports and measures it on those, beside the present one and two baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictions import metrics
from predictions.baselines import Baseline, FixedFormula, ShrunkenRates
from predictions.engine import Columns, Model, NotEnoughData, choose_scales, fit
from predictions.features import Case, columns_of

HOLDOUT_SHARE = 0.1
SCALE_SAMPLE = 20_000
SEED = 20
BASELINES: dict[str, type[Baseline]] = {"shrunken_rates": ShrunkenRates, "fixed_formula": FixedFormula}

Report = tuple[Case, bool]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Quality:
    """On reports the predictor has not seen. `auc` is None when they all ended the same way."""

    auc: float | None
    brier: float
    log_loss: float
    calibration_error: float


@dataclass(frozen=True)
class Trained:
    """A fitted model with its quality on the held-out reports; `rivals` by name, the present model as `active`."""

    model: Model
    scales: dict[str, float]
    training_size: int
    holdout_size: int
    quality: Quality
    rivals: dict[str, Quality]

    @property
    def is_worthy(self) -> bool:
        """Not worse than the model in use."""
        active = self.rivals.get("active")
        return active is None or self.quality.log_loss <= active.log_loss

    def metrics(self) -> dict[str, dict[str, float | None]]:
        return {"model": asdict(self.quality)} | {name: asdict(quality) for name, quality in self.rivals.items()}


def train(reports: Sequence[Report], active: Model | None, say: Say = lambda _: None) -> Trained:
    """`reports` oldest first. Raises `NotEnoughData`."""
    holdout = round(len(reports) * HOLDOUT_SHARE)
    if not holdout:
        raise NotEnoughData(f"{len(reports)} reports are too few to learn from")
    seen, unseen = reports[:-holdout], reports[-holdout:]
    say("choosing how far each group may move a prediction")
    columns, outcomes = _split(seen)
    columns = _telling(columns)
    scales = choose_scales(*_sample(seen, columns, outcomes), seed=SEED)
    say(f"fitting {len(seen)} reports")
    model = fit(columns, outcomes, scales=scales)
    say(f"measuring on the newest {len(unseen)}")
    rivals = {"active": evaluate(active, unseen)} if active else {}
    rivals |= {name: evaluate_baseline(baseline, seen, unseen) for name, baseline in BASELINES.items()}
    return Trained(model, scales, len(seen), len(unseen), evaluate(model, unseen), rivals)


def evaluate(model: Model, reports: Sequence[Report]) -> Quality:
    columns, outcomes = _split(reports)
    return _quality(outcomes, model.score(columns).mean)


def evaluate_baseline(baseline: type[Baseline], seen: Sequence[Report], unseen: Sequence[Report]) -> Quality:
    fitted = baseline.fit(*_pairs(seen), [outcome for _, outcome in seen])
    outcomes = np.array([outcome for _, outcome in unseen], dtype=np.float64)
    return _quality(outcomes, fitted.predict(*_pairs(unseen)))


def _quality(outcomes: NDArray[np.float64], predicted: NDArray[np.float64]) -> Quality:
    return Quality(
        auc=metrics.auc(outcomes, predicted),
        brier=metrics.brier(outcomes, predicted),
        log_loss=metrics.log_loss(outcomes, predicted),
        calibration_error=metrics.calibration_error(outcomes, predicted),
    )


def _split(reports: Sequence[Report]) -> tuple[Columns, NDArray[np.float64]]:
    columns = columns_of(case for case, _ in reports)
    return columns, np.array([outcome for _, outcome in reports], dtype=np.float64)


def _pairs(reports: Sequence[Report]) -> tuple[list[str], list[str]]:
    return [case.remedy for case, _ in reports], [case.condition for case, _ in reports]


def _telling(columns: Columns) -> Columns:
    """The groups that can say anything: a token that comes twice, or two different numbers.

    One without would keep a prior that no report has narrowed, and widen every interval by it.
    """
    return {name: values for name, values in columns.items() if _is_telling(values)}


def _is_telling(values: NDArray[Any]) -> bool:
    if values.dtype.kind == "f":
        return len(np.unique(values[~np.isnan(values)])) > 1
    return any(times > 1 for token, times in Counter(values.tolist()).items() if token)


def _sample(
    reports: Sequence[Report], columns: Columns, outcomes: NDArray[np.float64]
) -> tuple[Columns, NDArray[np.float64]]:
    """Whole patients, chosen by a hash: a sample of rows would make a patient's own history look worthless."""
    share = SCALE_SAMPLE / len(reports)
    if share >= 1:
        return columns, outcomes
    chosen = np.array([_position(case.patient) < share for case, _ in reports])
    return {name: values[chosen] for name, values in columns.items()}, outcomes[chosen]


def _position(patient: str) -> float:
    """Between 0 and 1, the same for a patient in every training."""
    return int.from_bytes(sha256(patient.encode()).digest()[:8], "big") / 2**64
