"""Rows with an outcome, and the model fitted to them, for the tests of the engine."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from predictions.engine import fit

SCALES = {"remedy": 0.7, "condition": 0.4, "distance": 1.0}
NAMES = ("mean", "lower", "upper", "cautious", "hopeful", "logit", "deviation")


def clinic(rows: int = 400, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Rows where the remedy matters much, the distance some, the condition not at all; some are absent."""
    random = np.random.default_rng(seed)
    remedy = random.integers(0, 8, rows)
    distance = random.random(rows)
    chances = expit(np.linspace(-2, 3, 8)[remedy] - distance)
    columns = {
        "remedy": np.array([f"remedy-{place}" for place in remedy], dtype=object),
        "condition": np.array(["", "cough", "زکام"])[random.integers(0, 3, rows)],
        "distance": np.where(random.random(rows) < 0.1, np.nan, distance),
    }
    return columns, (random.random(rows) < chances).astype(int)


COLUMNS, OUTCOMES = clinic()
MODEL = fit(COLUMNS, OUTCOMES, scales=SCALES)


def one(**changes: object) -> dict[str, np.ndarray]:
    row = {"remedy": "remedy-3", "condition": "cough", "distance": 0.2} | changes
    return {name: np.array([value]) for name, value in row.items()}
