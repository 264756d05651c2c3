"""Whatever happens to the servers, every client ends with every event once and in order, or a reset that says so.

One clinic for all, under load from the first test to the last. `python -m tests.chaos` does the same for longer,
in random order.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from tests.chaos.faults import KNOWN, SHORT, Fault
from tests.chaos.harness import SMALL, Chaos, chaos
from tests.chaos.servers import missing

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not os.environ.get("TEST_REDIS_URL"), reason="chaos runs once, in the half with PostgreSQL and Redis"
    ),
    pytest.mark.skipif(bool(missing()), reason=f"no {missing()} for this Python and system"),
]


def cases() -> list[object]:
    def marks(fault: Fault) -> list[pytest.MarkDecorator]:
        return [pytest.mark.xfail(strict=True, reason=KNOWN[fault])] if fault in KNOWN else []

    return [pytest.param(fault, id=fault.__name__, marks=marks(fault)) for fault in SHORT]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clinic() -> AsyncIterator[Chaos]:
    async with chaos(SMALL, random.Random(os.environ.get("CHAOS_SEED", "avicenna"))) as clinic:
        yield clinic


@pytest.mark.parametrize("fault", cases())
async def test_nothing_is_lost_or_doubled(clinic: Chaos, fault: Fault) -> None:
    await clinic.written(5)

    await clinic.survive(fault)


async def test_the_rollups_are_what_the_feedback_says(clinic: Chaos) -> None:
    """After all faults."""
    await clinic.written(5)

    assert "No difference" in await clinic.compare_rollups()


async def test_a_wrong_rollup_would_be_named(clinic: Chaos) -> None:
    await clinic.written(5)
    async with await psycopg.AsyncConnection.connect(clinic.stack.postgres.url, autocommit=True) as connection:
        await connection.execute("UPDATE analytics_effectivenessrollup SET rating_sum = rating_sum + 1 WHERE kind = 5")

    with pytest.raises(AssertionError, match=r"everything(.|\n)*stored(.|\n)*rating_sum(.|\n)*computed"):
        await clinic.compare_rollups()
