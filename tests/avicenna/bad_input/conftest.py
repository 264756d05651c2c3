from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def filled(patient: Any, diagnosis: Any, recommendation: Any, violet: Any) -> Callable[[str], str]:
    ids = {"<patient>": patient.pk, "<diagnosis>": diagnosis.pk, "<recommendation>": recommendation.pk}

    def fill(template: str) -> str:
        for name, pk in ids.items():
            template = template.replace(name, str(pk))
        return template

    return fill
