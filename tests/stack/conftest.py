from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.servers import missing
from tests.stack.stack import Stack, stack

# Logs say all they ever say; tokens outlive the tests; limits by user, which a load would meet, are out of reach, and
# those by address stand where one that is tried here can be met.
SETTINGS = {
    "LOG_LEVEL": "DEBUG",
    "ACCESS_TOKEN_MINUTES": "600",
    "WEBSOCKETS_PER_USER": "1000000",
    "WEBSOCKET_HANDSHAKES_PER_MINUTE": "500",
}


@pytest.fixture(scope="session")
def clinic() -> Iterator[Stack]:
    """The stack, running. Whoever stops a part of it starts it again."""
    if lacks := missing():
        pytest.skip(f"this machine has no {lacks}")
    with stack(**SETTINGS) as running:
        yield running


@pytest.fixture(scope="session")
def people(clinic: Stack) -> dict[str, Any]:
    """A practitioner's token, and diagnoses with their patients' tokens: see tests/chaos/clinic.py."""
    return clinic.people("nginx", 5)
