from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.access import Act, Resource
from accounts.models import Role, User
from tests.accounts.world import World, records_around
from tests.realtime.conftest import access_token

pytestmark = pytest.mark.thorough


@pytest.mark.django_db(transaction=True)
async def test_sockets_open_as_the_matrix_says(raw_socket: Any, mint: Any, headache: Any, nausea: Any) -> None:
    def prepared() -> list[tuple[World, str]]:
        users = [User.objects.create(email=f"{role}@clinic.example", role=role) for role in Role]
        worlds = [World(Role(u.role), u, records_around(u, mint, headache, nausea)) for u in users]
        return [(world, access_token(world.actor)) for world in worlds]

    wrong = []
    for world, token in await sync_to_async(prepared)():
        for record in world.records:
            path, headers = f"/ws/diagnoses/{record.diagnosis.pk}/", {"Authorization": f"Bearer {token}"}
            async with raw_socket(path, additional_headers=headers) as socket:
                opened = '"type":"connect"' in str(await socket.recv()).replace(" ", "")
            if opened != world.opens(Act.READ, Resource.DIAGNOSIS, record, "stream"):
                wrong.append(f"{world.role} {record.whose}")
    assert wrong == []
