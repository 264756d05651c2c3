"""What is read as a body: JSON objects of a bounded size."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.avicenna.bad_input.refusal import BAD_REQUEST, Send, refused

NO_OBJECTS = [b"[]", b'"text"', b"4", b"null", b"{", b"[" * 100_000]


def codes_of_what_is_no_object(client: Any, method: str, path: str) -> set[str]:
    sending = [lambda data=data: client.generic(method, path, data, "application/json") for data in NO_OBJECTS]
    return {refused(send, 400)["code"] for send in sending}


@pytest.fixture
def raw(api: Any, alice: Any, report: Any) -> Send:
    """Sends bytes as they are to the feedback; they must be refused; answers the error."""
    client = api(alice)

    def send(data: bytes, status: int = 400, content_type: str = "application/json", **headers: Any) -> Any:
        return refused(lambda: client.generic("POST", "/api/feedback/", data, content_type, **headers), status)

    return send


@pytest.mark.parametrize("data", [
    b"", b"{", b"{'rating': 4}", b"rating=4", b"\xff\xfe", b'{"comment": "\xff"}', b"\xef\xbb\xbf{}", b"nonsense",
    b'{"rating": NaN}', b'{"rating": Infinity}', b'{"rating": -Infinity}', b'{"rating": 1e999}',
    b'{"rating": ' + b"9" * 10_000 + b"}",
    b"[]", b'"text"', b"4", b"null", b"true", b"[{}]",
    b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"4" + b"}" * 100_000, b"[" * 100_000,
    b'{"rating": ' + b"[" * 900 + b"]" * 900 + b"}",
], ids=lambda data: repr(data)[:24])  # fmt: skip
def test_what_is_no_json_object_is_refused(raw: Send, data: bytes) -> None:
    assert raw(data)["code"] in BAD_REQUEST


@pytest.mark.parametrize("path", [
    "/api/auth/register", "/api/auth/token", "/api/auth/token/refresh", "/api/patients/", "/api/diagnoses/",
    "/api/diagnoses/<diagnosis>/recommendations/", "/api/recommendations/<recommendation>/stop/",
    "/api/recommendations/<recommendation>/replace/", "/api/realtime/tickets", "/api/predictions/batch",
    "/api/patients/<patient>/contraindications/",
])  # fmt: skip
def test_every_create_wants_an_object(api: Any, bob: Any, filled: Any, path: str) -> None:
    assert codes_of_what_is_no_object(api(bob), "POST", filled(path)) == BAD_REQUEST


@pytest.mark.parametrize("path", [
    "/api/me", "/api/patients/<patient>/", "/api/diagnoses/<diagnosis>/", "/api/recommendations/<recommendation>/",
])  # fmt: skip
def test_every_change_wants_an_object(api: Any, bob: Any, filled: Any, path: str) -> None:
    assert codes_of_what_is_no_object(api(bob), "PATCH", filled(path)) == BAD_REQUEST


def test_the_largest_body_is_one_megabyte(raw: Send) -> None:
    padding = json.dumps({"comment": "x" * 2_000_000}).encode()

    assert raw(padding, 413)["code"] == "too_large"


@pytest.mark.parametrize("content_type", [
    "text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/octet-stream",
])  # fmt: skip
def test_only_json_is_read(raw: Send, content_type: str) -> None:
    assert raw(b"rating=4", 415, content_type)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-16", "hex", "zlib", "rot13", "none-such"])
def test_no_charset_breaks_the_reader(raw: Send, charset: str) -> None:
    assert raw(b"{}", 400, f"application/json; charset={charset}")["code"] in BAD_REQUEST
