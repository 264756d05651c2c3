"""`manage.py doctor`: each thing is broken for real, and found with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command

Doctor = Callable[..., dict[str, str]]


@pytest.fixture
def doctor(db: None) -> Doctor:
    """What is found about a part that is not as it should be, by what to do; nothing when all is well with it."""

    def examine(part: str, *arguments: object) -> dict[str, str]:
        said = StringIO()
        try:
            call_command("doctor", "--json", "--only", part, *map(str, arguments), stdout=said)
        except SystemExit as ended:
            assert ended.code == 1
        told = json.loads(said.getvalue())["findings"]
        assert part in {one["part"] for one in told}
        return {one["found"]: one["do"] for one in told if one["part"] == part and one["severity"] != "ok"}

    return examine
