"""Sockets through nginx, as a phone opens them."""

from __future__ import annotations

import json
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.stack.stack import Stack


def ticket(http: httpx.Client, token: str, diagnosis: str) -> str:
    answer = http.post(
        "/api/realtime/tickets", json={"diagnosis": diagnosis}, headers={"Authorization": f"Bearer {token}"}
    )
    return str(answer.raise_for_status().json()["ticket"])


def opened(clinic: Stack, diagnosis: str, query: str, **options: Any) -> ClientConnection:
    address = f"wss://localhost:{clinic.https_port}/ws/diagnoses/{diagnosis}/?{query}"
    return connect(address, ssl=clinic.tls, compression=None, proxy=None, **options)


def frames(socket: ClientConnection, until: str) -> list[dict[str, Any]]:
    """What arrives, up to the first of this type."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] != until:
        found.append(json.loads(socket.recv(timeout=15)))
    return found
