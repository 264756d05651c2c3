"""Which open recommendations reach a target, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

from predictions.levels import Level
from predictions.ranking import Candidates, Prediction, Ranking
from predictions.serving import answer

# So surely a target must be reached to be called reached; where nothing is, so many are named nevertheless.
SURELY = 0.8
NEAREST = 3


@dataclass(frozen=True)
class Optimization:
    """Predictions with their chances, 0..1, of reaching the target, likeliest first. `reached`: each surely does."""

    ranking: Ranking
    target: float
    reached: bool
    chosen: list[tuple[Prediction, float]]


def optimize(candidates: Candidates, target: float) -> Optimization:
    """Those that reach `target` (a success probability, 0..1) with a probability of SURELY, else the NEAREST ones."""
    [ranking] = answer([candidates], Level.BALANCED)
    chances = [(one, one.belief.chance_of_reaching(target)) for one in ranking.predictions]
    # The sort is stable: of equals the ranking decides.
    likeliest = sorted(chances, key=lambda pair: -pair[1])
    reaching = [pair for pair in likeliest if pair[1] >= SURELY]
    return Optimization(ranking, target, bool(reaching), reaching or likeliest[:NEAREST])
