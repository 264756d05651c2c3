"""Walks the loop against a running server, as a phone would: sign in, ticket, socket, feedback, events, ranking."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from django.core.management.base import BaseCommand, CommandError, CommandParser
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

SECONDS = 5.0


class StepFailed(Exception):
    pass


class Command(BaseCommand):
    help = "Walks the whole loop against a running server and fails when one step does not hold."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server runs")
        parser.add_argument("--email", default="sara@demo.example")
        parser.add_argument("--password", default="avicenna-demo")

    def handle(self, *args: Any, url: str, email: str, password: str, **options: Any) -> None:
        try:
            asyncio.run(Walk(url.rstrip("/"), email, password, say=self.stdout.write).run())
        except StepFailed as error:
            raise CommandError(f"The demonstration failed: {error}") from error
        except (httpx.HTTPError, OSError, WebSocketException, TimeoutError) as error:
            raise CommandError(
                f"The demonstration failed: no answer from {url} ({error or type(error).__name__})."
            ) from error
        self.stdout.write(self.style.SUCCESS("Every step held."))


class Walk:
    def __init__(self, url: str, email: str, password: str, say: Callable[[str], Any]) -> None:
        self.url = url
        self.credentials = {"email": email, "password": password, "device": "make demo"}
        self.say = say
        self.http = httpx.AsyncClient(base_url=url, timeout=SECONDS, headers={"Accept-Language": "en"})

    async def run(self) -> None:
        async with self.http:
            await self._sign_in()
            diagnosis = await self._choose_diagnosis()
            before = await self._ranking("ranking", diagnosis["id"])
            async with await self._open_socket(diagnosis["id"]) as socket:
                await self._step("socket open", _frame(socket, "connect"))
                feedback = await self._report(socket, before[-1])
                await self._ranking("new ranking", diagnosis["id"])
                await self._withdraw(socket, feedback)
            await self._step("signed out", self._call("POST", "/api/auth/logout"))

    async def _sign_in(self) -> None:
        tokens = await self._step("signed in", self._call("POST", "/api/auth/token", self.credentials))
        self.http.headers["Authorization"] = f"Bearer {tokens['access']}"

    async def _choose_diagnosis(self) -> dict[str, Any]:
        page = await self._step("diagnoses", self._call("GET", "/api/diagnoses/?status=active"))
        if not page["results"]:
            raise StepFailed("this person has no active diagnosis")
        chosen: dict[str, Any] = page["results"][0]
        self.say(f"       {page['count']} active, watching: {chosen['condition_name']}")
        return chosen

    async def _ranking(self, name: str, diagnosis: str) -> list[dict[str, Any]]:
        answer = await self._step(name, self._call("GET", f"/api/predictions/?diagnosis={diagnosis}"))
        for place, row in enumerate(answer["predictions"], 1):
            low, high = row["interval"]
            score = f"{row['predicted_effectiveness']:.0%} ({low:.0%}-{high:.0%})"
            self.say(f"       {place}. {row['remedy_name']}: {score}. {row['reasons'][0]}")
        rows: list[dict[str, Any]] = answer["predictions"]
        if not rows:
            raise StepFailed("this diagnosis has no open recommendation")
        return rows

    async def _open_socket(self, diagnosis: str) -> ClientConnection:
        ticket = await self._step("ticket", self._call("POST", "/api/realtime/tickets", {"diagnosis": diagnosis}))
        snapshot = await self._call("GET", f"/api/diagnoses/{diagnosis}/snapshot")
        address = self.url.replace("http", "ws", 1) + f"{ticket['url']}&since={snapshot['head']}"
        return await connect(address, open_timeout=SECONDS)

    async def _report(self, socket: ClientConnection, row: dict[str, Any]) -> str:
        self.say(f"       reporting that {row['remedy_name']} helped")
        body = {"recommendation": row["recommendation"], "rating": 5, "symptom_improvement": 5}
        body |= {"client_id": str(uuid.uuid4()), "comment": "از نمایش خودکار"}
        started = time.perf_counter()
        post = asyncio.create_task(self._call("POST", "/api/feedback/", body))
        for type in ("feedback_update", "effectiveness_update"):
            frame = await _frame(socket, type)
            self._held(f"{type} #{frame['seq']}", started, "after the POST was sent")
        answer = await post
        self._held("feedback stored", started)
        return str(answer["id"])

    async def _withdraw(self, socket: ClientConnection, feedback: str) -> None:
        """So that trying it often does not bend the figures."""
        started = time.perf_counter()
        await self._call("DELETE", f"/api/feedback/{feedback}/")
        frame = await _frame(socket, "feedback_update")
        if frame["data"]["action"] != "withdrawn":
            raise StepFailed("the withdrawal was not announced")
        self._held("feedback withdrawn again", started)

    async def _step(self, name: str, work: Awaitable[Any]) -> Any:
        started = time.perf_counter()
        result = await work
        self._held(name, started)
        return result

    def _held(self, name: str, started: float, remark: str = "") -> None:
        self.say(f"  ok  {name:<28} {(time.perf_counter() - started) * 1000:7.1f} ms {remark}".rstrip())

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        response = await self.http.request(method, path, json=body)
        if not response.is_success:
            raise StepFailed(f"{method} {path.split('?')[0]} answered {response.status_code}: {_reason(response)}")
        return response.json() if response.content else None


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase


async def _frame(socket: ClientConnection, type: str) -> dict[str, Any]:
    """The next frame, which must be of this type; the new ranking that the worker tells of may come at any time."""
    async with asyncio.timeout(SECONDS):
        frame = json.loads(await socket.recv())
        while frame["data"].get("action") == "reranked":
            frame = json.loads(await socket.recv())
    if frame["type"] != type:
        raise StepFailed(f"expected {type}, got {frame['type']}")
    return dict(frame)
