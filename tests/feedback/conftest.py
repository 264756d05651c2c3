from __future__ import annotations

from typing import Any

import pytest

from analytics.models import EffectivenessRollup
from analytics.rollups import COLUMNS
from feedback.actions import submit
from feedback.models import Feedback


def figures() -> set[tuple[int, ...]]:
    """What the rollups of all subjects say; one report is the same for each of them."""
    return set(EffectivenessRollup.objects.values_list(*COLUMNS))


@pytest.fixture
def feedback(alice: Any, recommendation: Any, nausea: Any) -> Feedback:
    """A good report of Alice's that mentions nausea."""
    stored, _ = submit(
        actor=alice,
        recommendation_id=recommendation.pk,
        rating=5,
        symptom_improvement=4,
        compliance=3,
        comment="a secret",
        side_effects={nausea: 4},
    )
    return stored


@pytest.fixture
def path(feedback: Feedback) -> str:
    return f"/api/feedback/{feedback.pk}/"
