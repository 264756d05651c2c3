"""The guide, the AsyncAPI file and the clients they show agree with what the server does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import CommandError, call_command

from diagnoses.actions import change_diagnosis
from realtime.publish import KEPT_EVENTS

from .conftest import access_token

GUIDE = Path(settings.BASE_DIR) / "docs/stream.md"


def test_the_documents_agree_with_the_code() -> None:
    call_command("document_stream", check=True)


def test_a_frame_that_changed_is_noticed(monkeypatch: Any) -> None:
    from realtime.events import FRAMES, Pong

    monkeypatch.setitem(FRAMES, "dance", Pong)

    with pytest.raises(CommandError, match=r"stream\.md, asyncapi\.json"):
        call_command("document_stream", check=True)


def test_every_reference_in_the_asyncapi_file_leads_somewhere() -> None:
    document = json.loads((GUIDE.parent / "asyncapi.json").read_text(encoding="utf-8"))

    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
        assert found


@pytest.mark.django_db(transaction=True)
async def test_the_python_client_of_the_guide_follows(server: str, alice: Any, diagnosis: Any) -> None:
    [source] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    guide: dict[str, Any] = {}
    exec(source, guide)  # noqa: S102  our own document
    headers = {"Authorization": f"Bearer {await sync_to_async(access_token)(alice)}"}

    def change(times: int) -> None:
        for number in range(times):
            change_diagnosis(actor=None, diagnosis=diagnosis, changes={"severity": 4 + number % 2})

    async with httpx.AsyncClient(base_url=server.replace("ws", "http"), headers=headers) as http:
        following = guide["follow"](http, str(diagnosis.pk))
        first = await anext(following)
        await sync_to_async(change)(2)
        live = [await anext(following), await anext(following)]
        await following.aclose()
        await sync_to_async(change)(KEPT_EVENTS + 1)
        too_late = guide["follow"](http, str(diagnosis.pk), since=1)
        reset = await anext(too_late)
        await too_late.aclose()

    assert [frame["seq"] for frame in (first, *live)] == [1, 2, 3]
    assert (reset["type"], reset["data"]["head"]) == ("reset", KEPT_EVENTS + 4)
