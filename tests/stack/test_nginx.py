"""The way in: what nginx answers itself, what it lets through, and what it says about who asks."""

from __future__ import annotations

import gzip
import json
import re
import socket
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from tests.stack.sockets import frames, opened, ticket
from tests.stack.stack import Stack
from tests.stack.waiting import eventually

pytestmark = pytest.mark.thorough


def report(diagnosis: dict[str, Any], **more: object) -> dict[str, object]:
    return {
        "recommendation": diagnosis["recommendation"],
        "rating": 4,
        "symptom_improvement": 4,
        "client_id": str(uuid4()),
    } | more


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_http_leads_to_https_with_path_and_query(clinic: Stack) -> None:
    answer = httpx.get(f"http://localhost:{clinic.http_port}/docs?a=1", trust_env=False)

    assert (answer.status_code, answer.headers["Location"]) == (308, f"{clinic.url}/docs?a=1")
    # A program that brings a token in clear is not led on: it shall notice.
    assert httpx.get(f"http://localhost:{clinic.http_port}/api/me", trust_env=False).status_code == 403


def test_whoever_asks_for_another_host_is_not_answered(clinic: Stack) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{clinic.http_port}/", trust_env=False)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://127.0.0.1:{clinic.https_port}/", verify=False, trust_env=False)  # noqa: S501  # its own


ALWAYS = ("strict-transport-security", "x-content-type-options", "content-security-policy")
OF_ANSWERS = (*ALWAYS, "referrer-policy", "cross-origin-opener-policy")


@pytest.mark.parametrize(
    ("path", "protection"),
    [
        *((path, OF_ANSWERS) for path in ("/", "/api/remedies/", "/health/ready", "/static/dashboard/icon.svg")),
        ("/metrics", ALWAYS),  # nginx itself
    ],
)
def test_each_header_of_protection_is_sent_once(clinic: Stack, path: str, protection: tuple[str, ...]) -> None:
    with clinic.client() as http:
        sent = Counter(name.decode().lower() for name, _ in http.get(path).headers.raw)

    assert {name: sent[name] for name in protection} == dict.fromkeys(protection, 1)
    assert max(sent.values()) == 1


def test_static_files_come_from_nginx_compressed_and_for_a_year(clinic: Stack) -> None:
    with clinic.client() as http:
        page = http.get("/").text
        style = re.search(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
        assert style
        with http.stream("GET", style[1]) as answer:
            compressed = b"".join(answer.iter_raw())

    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Encoding"] == "gzip" and b"{" in gzip.decompress(compressed)
    assert answer.headers["Content-Type"] == "text/css"
    assert "X-Request-ID" not in answer.headers  # Django did not see it


def test_a_file_without_a_hash_is_asked_for_again_soon(clinic: Stack) -> None:
    with clinic.client() as http:
        answer = http.get("/static/dashboard/icon.svg")

    assert (answer.headers["Cache-Control"], answer.headers["Content-Type"]) == ("public, max-age=300", "image/svg+xml")


def test_metrics_are_closed_to_the_outside_and_open_to_prometheus(clinic: Stack) -> None:
    headers = bearer(clinic.metrics_token)
    with clinic.client() as http:
        assert http.get("/metrics", headers=headers).status_code == 404

    own = httpx.get(f"http://127.0.0.1:{clinic.rest_port}/metrics", headers=headers, trust_env=False)
    assert "analytics_calculations_total" in own.text


def test_prometheus_finds_every_process(clinic: Stack) -> None:
    def up() -> dict[str, str]:
        answer = httpx.get(f"{clinic.prometheus_url}/api/v1/query?query=up", trust_env=False).json()
        return {one["metric"]["process"]: one["value"][1] for one in answer["data"]["result"]}

    eventually(up, lambda found: found == {"rest": "1", "sockets-1": "1", "sockets-2": "1"})


def test_a_body_of_more_than_five_megabytes_is_refused_in_the_one_error_shape(
    clinic: Stack, people: dict[str, Any]
) -> None:
    headers = bearer(people["diagnoses"][0]["patient"]) | {"Content-Type": "application/json"}
    with clinic.client() as http:
        five, six = (http.post("/api/feedback/", content=b" " * size, headers=headers) for size in (5 << 20, 6 << 20))

    assert six.status_code == 413 and six.json()["error"]["code"] == "too_large"
    assert five.status_code == 413 and "X-Request-ID" in five.headers  # the clinic's own limit


def test_nobody_chooses_the_address_they_are_counted_by(clinic: Stack) -> None:
    def sign_in(http: httpx.Client, number: int) -> int:
        forged = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": "203.0.113.1", "Forwarded": "for=203.0.113.2"}
        body = {"email": "nobody@clinic.example", "password": "wrong"}
        return http.post("/api/auth/token", json=body, headers=forged).status_code

    with clinic.client(transport=clinic.from_address("127.0.0.7")) as guessing:
        answers = Counter(sign_in(guessing, number) for number in range(62))
    with clinic.client(transport=clinic.from_address("127.0.0.8")) as somebody_else:
        assert sign_in(somebody_else, 1) == 401

    assert set(answers) == {401, 429} and answers[401] <= 60  # 30 a minute, and a minute may end in between


def test_nor_the_one_their_sockets_are_counted_by(clinic: Stack, people: dict[str, Any]) -> None:
    def closed_with(address: str, number: int) -> int:
        forged = {"X-Forwarded-For": f"203.0.113.{number % 250}"}
        with opened(
            clinic, people["diagnoses"][0]["id"], "since=0", additional_headers=forged, source_address=(address, 0)
        ) as refused:
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    refused.recv(timeout=15)
            assert closed.value.rcvd
            return closed.value.rcvd.code

    # 500 a minute in each of two processes, between which nginx shares them out evenly; a minute may end in between
    codes: Counter[int] = Counter()
    while 4429 not in codes and codes.total() < 2200:
        codes[closed_with("127.0.0.9", codes.total())] += 1

    assert codes[4429] == 1 and codes[4401] >= 500
    assert closed_with("127.0.0.10", 0) == 4401


def test_the_request_is_named_by_nginx_in_every_log_and_in_the_statement(clinic: Stack, people: dict[str, Any]) -> None:
    forged = "0" * 32
    with clinic.client(headers=bearer(people["doctor"]) | {"X-Request-ID": forged}) as http:
        answer = http.get("/api/me")
    name = answer.headers["X-Request-ID"]

    assert re.fullmatch(r"[0-9a-f]{32}", name) and name != forged
    with psycopg.connect(clinic.postgresql.url) as database:
        asked = database.execute("SELECT query FROM pg_stat_activity").fetchall()
    assert any(f"request_id={name}" in query for (query,) in asked if query)
    for logs in ("rest-?.log", "nginx-access.log"):
        assert eventually(lambda logs=logs: paths(clinic, logs, name), bool, within=10) == ["/api/me"]


def paths(clinic: Stack, logs: str, request: str) -> list[str]:
    """Of the lines that tell of this request."""
    lines = [line for log in clinic.logs.glob(logs) for line in log.read_text().splitlines()]
    return [json.loads(line)["path"] for line in lines if f'"{request}"' in line]


def test_a_socket_gets_what_is_reported_over_rest(clinic: Stack, people: dict[str, Any]) -> None:
    diagnosis = people["diagnoses"][1]
    with clinic.client() as http:
        query = f"since={diagnosis['head']}&ticket={ticket(http, diagnosis['patient'], diagnosis['id'])}"
        with opened(clinic, diagnosis["id"], query, origin=clinic.url) as watching:
            frames(watching, until="connect")
            sent = http.post("/api/feedback/", json=report(diagnosis), headers=bearer(diagnosis["patient"]))
            *_, seen = frames(watching, until="feedback_update")  # the worker tells of other things meanwhile

    assert seen["data"]["feedback_id"] == sent.json()["id"]


def test_somebody_elses_page_opens_no_socket(clinic: Stack, people: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="403"):
        opened(clinic, people["diagnoses"][0]["id"], "since=0", origin="https://elsewhere.example")


def test_only_sockets_change_the_protocol(clinic: Stack) -> None:
    plain = socket.create_connection(("127.0.0.1", clinic.https_port), timeout=10)
    with clinic.tls.wrap_socket(plain, server_hostname="localhost") as secured:
        secured.sendall(
            f"GET /health/live HTTP/1.1\r\nHost: localhost:{clinic.https_port}\r\n"
            "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n".encode()
        )
        assert secured.recv(15) == b"HTTP/1.1 200 OK"
