"""What must not come in: the right status, the one error shape, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accounts.models import User
from analytics.models import EffectivenessRollup
from diagnoses.models import Contraindication, Diagnosis, Patient, Recommendation
from feedback.models import Feedback, SideEffectReport
from realtime.models import DiagnosisEvent, Ticket

Send = Callable[..., Any]

WRITTEN = [
    Feedback, SideEffectReport, EffectivenessRollup, DiagnosisEvent, Recommendation, Diagnosis, Patient, User, Ticket,
    Contraindication,
]  # fmt: skip

# What 400 says: of what cannot be read, and of what can.
BAD_REQUEST = {"malformed", "invalid"}

HUGE = 10**40
UNKNOWN = "0190a1b2-0000-7000-8000-000000000000"
NOT_ONE_TO_FIVE = [0, 6, -1, 4.5, True, None, "", "5 stars", "۶", HUGE, -HUGE, 1e300, [], {}, [4], "9" * 2000]


def refused(send: Callable[[], Any], status: int) -> dict[str, Any]:
    """The error that a request is answered with, after looking at its shape and that nothing was written."""
    before = [model._default_manager.count() for model in WRITTEN]
    answer = send()
    assert answer.status_code == status, answer.content
    error: dict[str, Any] = answer.json()["error"]
    assert set(answer.json()) == {"error"} and {"code", "message"} <= set(error) <= {"code", "message", "fields"}
    assert error["message"] and error["code"], error
    assert [model._default_manager.count() for model in WRITTEN] == before
    return error


def fields_refused(send: Callable[[], Any]) -> list[str]:
    """The fields that a request is told to be invalid in, looked at in the same way."""
    error = refused(send, 400)
    assert error["code"] == "invalid", error
    return list(error["fields"])
