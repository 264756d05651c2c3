from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.accounts.world import PASSWORD, World, records_around


@pytest.fixture
def world(request: Any, mint: Any, violet: Any, headache: Any, nausea: Any) -> World:
    role = request.param
    actor = User.objects.create_user(f"{role}@clinic.example", PASSWORD, role=role, name=str(role))
    return World(role, actor, records_around(actor, mint, headache, nausea))
