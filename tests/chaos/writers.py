"""People who write over HTTP, say everything until it is acknowledged, and sometimes say it twice at once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

FIRST_WAIT, LONGEST_WAIT = 0.05, 1.0
SAID_TWICE = 0.1


@dataclass
class Case:
    """One diagnosis, who may write to it, and what of it was acknowledged."""

    id: UUID
    recommendation: UUID
    patient: str
    doctor: str
    head: int  # when the clinic was prepared
    reports: set[UUID] = field(default_factory=set)
    changes: int = 0
    dosages: int = 0

    @property
    def expected_types(self) -> Counter[str]:
        """What the stream must hold: a report makes two events, a change one."""
        return Counter(
            diagnosis_update=1 + self.changes,
            recommendation_update=1 + self.dosages,
            feedback_update=len(self.reports),
            effectiveness_update=len(self.reports),
        )


class Refused(Exception):
    """The server said no to a request that is in order."""


class Writers:
    """One task per diagnosis, so that each change differs from the one before; reports come from several at once."""

    def __init__(self, http: httpx.AsyncClient, cases: list[Case], *, pause: float, rng: random.Random) -> None:
        self.acknowledged = 0
        self.retries = 0
        self.doubled = 0
        self.asked_to_wait = 0
        self.pause = pause
        self._http = http
        self._cases = cases
        self._rng = rng
        self._going = asyncio.Event()
        self._working = 0

    def go(self) -> None:
        self._going.set()

    async def rest(self) -> None:
        """Returns when everything said is acknowledged."""
        self._going.clear()
        while self._working:
            await asyncio.sleep(0.02)

    async def write(self, case: Case) -> None:
        """Until cancelled."""
        severity = 3
        while True:
            await asyncio.sleep(self._rng.uniform(0.5, 1.5) * self.pause)
            while not self._going.is_set():  # it may have been cleared again since it woke us
                await self._going.wait()
            self._working += 1
            try:
                if self._rng.random() < 0.5:
                    await self.report(case)
                else:
                    severity = severity % 5 + 1
                    await self.change(case, severity)
            finally:
                self._working -= 1

    async def report(self, case: Case, **headers: str) -> None:
        client_id = uuid4()
        body = {
            "recommendation": str(case.recommendation),
            "rating": self._rng.randint(1, 5),
            "symptom_improvement": self._rng.randint(1, 5),
            "client_id": str(client_id),
        }
        twice = self._rng.random() < SAID_TWICE and not headers
        self.doubled += twice
        say = [self._say("POST", "/api/feedback/", case.patient, body, headers) for _ in range(1 + twice)]
        answers = await asyncio.gather(*say)
        assert len({answer["id"] for answer in answers}) == 1, "said twice, stored twice"
        case.reports.add(client_id)

    async def change(self, case: Case, severity: int, **headers: str) -> None:
        await self._say("PATCH", f"/api/diagnoses/{case.id}/", case.doctor, {"severity": severity}, headers)
        case.changes += 1

    async def prescribe(self, case: Case, instructions: str) -> None:
        path = f"/api/recommendations/{case.recommendation}/"
        body = {"instructions": instructions, "dosage": instructions[:200], "frequency": instructions[:200]}
        await self._say("PATCH", path, case.doctor, body, {})
        case.dosages += 1

    async def _say(self, method: str, path: str, token: str, body: dict[str, Any], extra: dict[str, str]) -> Any:
        """`extra` headers go with the first attempt only."""
        attempts, headers = 0, {"Authorization": f"Bearer {token}"}
        while True:
            try:
                answer = await self._http.request(method, path, json=body, headers=headers | extra)
                if answer.is_success:
                    self.acknowledged += 1
                    return answer.json()
                self.asked_to_wait += answer.status_code == 503 and "Retry-After" in answer.headers
                if answer.status_code < 500:
                    raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            except httpx.TransportError:
                pass
            self.retries += 1
            extra = {}
            await asyncio.sleep(self._rng.uniform(0.5, 1) * min(LONGEST_WAIT, FIRST_WAIT * 2**attempts))
            attempts += 1
