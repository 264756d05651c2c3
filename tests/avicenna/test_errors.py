"""What a caller hears when it is not the caller's fault."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InterfaceError, OperationalError

from feedback.models import Feedback


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_does_not_answer_asks_to_come_back(
    api: Any, alice: Any, report: Any, monkeypatch: Any, error: type[Exception]
) -> None:
    def fails(*_: Any) -> None:
        raise error("server closed the connection unexpectedly")

    monkeypatch.setattr("feedback.actions.appending", fails)
    answer = api(alice, accept_language="fa").post("/api/feedback/", report)

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json() == {
        "error": {"code": "unavailable", "message": "پایگاه داده اکنون پاسخ نمی‌دهد. لطفاً دوباره تلاش کنید."}
    }
    assert not Feedback.objects.exists()
