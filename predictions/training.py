"""Trains a model on all but the newest reports, measures it on those, and then lets it learn from them, too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictions import metrics
from predictions.baselines import Baseline, FixedFormula, ShrunkenRates
from predictions.design_matrix import Coded, Column, Columns, FloatArray
from predictions.engine import Model, NotEnoughData, choose_scales, fit
from predictions.features import Reports
from predictions.registry import ActiveModel
from predictions.softening import softened

HOLDOUT_SHARE = 0.1
SCALE_SAMPLE = 20_000
SEED = 20
BASELINES: dict[str, type[Baseline]] = {"shrunken_rates": ShrunkenRates, "fixed_formula": FixedFormula}
# Days after which a report counts half; `inf` is never.
HALF_LIVES = (inf, 720.0, 360.0, 180.0, 90.0)
SHARES = (0.0, 0.3, 0.6)
FOLDS = 5
# To forget must gain so much log likelihood, as Akaike's criterion asks of a parameter.
WORTH_FORGETTING = 1.0
SECONDS_A_DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Quality:
    """On reports the predictor has not seen. `auc` is None when they all ended the same way."""

    auc: float | None
    brier: float
    log_loss: float
    calibration_error: float


@dataclass(frozen=True)
class Rematch:
    """The new model and the one in use on those held-out reports that neither has seen, `size` of them."""

    size: int
    new: Quality
    active: Quality


@dataclass(frozen=True)
class Trained:
    """A fitted model with the quality on the held-out reports of the fit that had not seen them.

    `model` has learned from the `training_size` reports from `since` until `until`: from the held-out ones, too, when
    it is not worse than the one in use. `half_life` is in days, None where nothing is forgotten.
    """

    model: Model
    scales: dict[str, float]
    half_life: float | None
    softening: float
    training_size: int
    holdout_size: int
    since: datetime
    until: datetime
    quality: Quality
    rivals: dict[str, Quality]
    rematch: Rematch | None

    @property
    def is_worthy(self) -> bool:
        """Not worse than the model in use."""
        return _wins(self.rematch)

    def metrics(self) -> dict[str, dict[str, float | None]]:
        active = {"active": asdict(self.rematch.active)} if self.rematch else {}
        rivals = {name: asdict(quality) for name, quality in self.rivals.items()}
        return {"model": asdict(self.quality)} | active | rivals


@dataclass(frozen=True)
class Settings:
    """What is chosen before a fit: the prior scale of each group that can say anything, the days after which a report
    counts half, and how far outcomes lean on the second grade."""

    scales: dict[str, float]
    half_life: float = inf
    softening: float = 0.0

    def fit(self, reports: Reports, start: Model | None = None) -> Model:
        columns = reports.cases.columns()
        used = {name: columns[name] for name in self.scales}
        weights = freshness(reports.seconds, self.half_life)
        outcomes = softened(reports.outcomes, reports.grades, self.softening)
        return fit(used, outcomes, scales=self.scales, weights=weights, start=start)


def train(reports: Reports, active: ActiveModel | None, say: Say = lambda _: None) -> Trained:
    """`reports` oldest first. Raises `NotEnoughData`."""
    holdout = round(len(reports) * HOLDOUT_SHARE)
    if not holdout:
        raise NotEnoughData(f"{len(reports)} reports are too few to learn from")
    seen, unseen = reports[:-holdout], reports[-holdout:]
    say("choosing how far each group may move a prediction")
    settings = choose_settings(seen)
    say(f"fitting {len(seen):,} reports")
    model = settings.fit(seen)
    say(f"measuring on the newest {holdout:,}")
    rematch = _rematch(model, active, unseen)
    quality = evaluate(model, unseen)
    rivals = {name: evaluate_baseline(baseline, seen, unseen) for name, baseline in BASELINES.items()}
    learned = seen
    if _wins(rematch):
        say(f"learning from all {len(reports):,} reports")
        model, learned = settings.fit(reports, start=model), reports
    return Trained(
        model=model,
        scales=settings.scales,
        softening=settings.softening,
        half_life=None if settings.half_life == inf else settings.half_life,
        training_size=len(learned),
        holdout_size=holdout,
        since=moment(learned.seconds[0]),
        until=moment(learned.seconds[-1]),
        quality=quality,
        rivals=rivals,
        rematch=rematch,
    )


def choose_settings(reports: Reports) -> Settings:
    """By cross-validation on whole patients, some 20,000 reports of theirs. Raises `NotEnoughData`."""
    columns, sample = telling(reports.cases.columns()), _sample(reports)
    part, chosen = {name: column[sample] for name, column in columns.items()}, reports[sample]
    scales = choose_scales(part, chosen.outcomes, seed=SEED)
    settings = Settings(scales)
    settings = _best([replace(settings, half_life=days) for days in HALF_LIVES], chosen, _foretells, WORTH_FORGETTING)
    return _best([replace(settings, softening=share) for share in SHARES], chosen, _cross_validates)


def evaluate(model: Model, reports: Reports) -> Quality:
    return quality_of(reports.outcomes, model.score(reports.cases.unexplained().columns()).mean)


def evaluate_baseline(baseline: type[Baseline], seen: Reports, unseen: Reports) -> Quality:
    fitted = baseline.fit(*_pairs(seen), seen.outcomes.tolist())
    return quality_of(unseen.outcomes, fitted.predict(*_pairs(unseen)))


def quality_of(outcomes: FloatArray, predicted: FloatArray) -> Quality:
    return Quality(
        auc=metrics.auc(outcomes, predicted),
        brier=metrics.brier(outcomes, predicted),
        log_loss=metrics.log_loss(outcomes, predicted),
        calibration_error=metrics.calibration_error(outcomes, predicted),
    )


def telling(columns: Columns) -> Columns:
    """The groups that can say anything: a token that comes twice, or two different numbers.

    One without would keep a prior that no report has narrowed, and widen every interval by it.
    """
    return {name: column for name, column in columns.items() if _is_telling(column)}


def _best(
    tried: Sequence[Settings], reports: Reports, loss: Callable[[Settings, Reports], float], margin: float = 0.0
) -> Settings:
    """The first unless another is better by more than `margin`, or where there is too little to tell."""
    try:
        losses = [loss(settings, reports) for settings in tried]
    except NotEnoughData:
        return tried[0]
    best = int(np.argmin(losses))
    return tried[best] if losses[best] < losses[0] - margin else tried[0]


def _foretells(settings: Settings, reports: Reports) -> float:
    """Log loss on the newest tenth, summed, of what was before; 0 when all is of one moment."""
    newest = round(len(reports) * HOLDOUT_SHARE)
    if not newest or reports.seconds[0] == reports.seconds[-1]:
        return 0.0
    return evaluate(settings.fit(reports[:-newest]), reports[-newest:]).log_loss * newest


def _cross_validates(settings: Settings, reports: Reports) -> float:
    """Log loss on each fold, summed, of what the others teach; 0 without a second grade."""
    if len(np.unique(reports.grades)) == 1:
        return 0.0
    folds = np.random.default_rng(SEED).permutation(len(reports)) % FOLDS
    parts = [(reports[folds != fold], reports[folds == fold]) for fold in range(FOLDS)]
    return sum(evaluate(settings.fit(others), part).log_loss * len(part) for others, part in parts)


def freshness(seconds: FloatArray, half_life: float) -> FloatArray:
    """What each report counts: 1 for the newest, and half of that `half_life` days before."""
    weights: FloatArray = 0.5 ** ((seconds[-1] - seconds) / SECONDS_A_DAY / half_life)
    return weights


def moment(seconds: float) -> datetime:
    """To the microsecond, which is as exact as a report's own."""
    return EPOCH + timedelta(seconds=float(seconds))


def _rematch(model: Model, active: ActiveModel | None, unseen: Reports) -> Rematch | None:
    """The one in use may have learned from some of the held-out reports: of those it knows the outcome."""
    if active is None:
        return None
    if active.trained_until is not None:
        unseen = unseen[unseen.seconds > active.trained_until.timestamp()]
    if not len(unseen):
        return None
    return Rematch(len(unseen), evaluate(model, unseen), evaluate(active.model, unseen))


def _wins(rematch: Rematch | None) -> bool:
    return rematch is None or rematch.new.log_loss <= rematch.active.log_loss


def _pairs(reports: Reports) -> tuple[list[str], list[str]]:
    remedies, conditions = (reports.cases.tokens[name] for name in ("remedy", "condition"))
    return _texts(remedies), _texts(conditions)


def _texts(column: Coded) -> list[str]:
    return [column.labels[code] if code >= 0 else "" for code in column.codes.tolist()]


def _is_telling(column: Column) -> bool:
    if isinstance(column, Coded):
        return bool((np.bincount(column.codes[column.codes >= 0], minlength=1) > 1).any())
    return len(np.unique(column[~np.isnan(column)])) > 1


def _sample(reports: Reports) -> NDArray[Any]:
    """Whole patients, chosen by a hash: a sample of rows would make a patient's own history look worthless."""
    share = SCALE_SAMPLE / len(reports)
    patients = reports.cases.tokens["patient"]
    chosen = np.array([*(_position(label) < share for label in patients.labels), True])  # nobody finds the last
    sample: NDArray[Any] = chosen[patients.codes]
    return sample


def _position(patient: str) -> float:
    """Between 0 and 1, the same for a patient in every training."""
    return int.from_bytes(sha256(patient.encode()).digest()[:8], "big") / 2**64
