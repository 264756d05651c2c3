"""Why can the phone not connect?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.avicenna.doctor.certificate import write_certificate
from tests.avicenna.doctor.conftest import Doctor
from tests.realtime.conftest import server  # noqa: F401  (a fixture)


def at(server: str) -> str:  # noqa: F811
    return server.replace("ws://", "http://")


@pytest.mark.django_db(transaction=True)
def test_a_clinic_that_a_phone_reaches(doctor: Doctor, server: str, settings: Any) -> None:  # noqa: F811
    settings.ALLOWED_HOSTS, settings.DEBUG = ["127.0.0.1", "clinic.example"], True

    assert doctor("reach", "--url", at(server)) == {}


@pytest.mark.django_db(transaction=True)
def test_a_host_that_is_not_allowed(doctor: Doctor, server: str, settings: Any) -> None:  # noqa: F811
    settings.ALLOWED_HOSTS, settings.DEBUG = ["clinic.example"], True

    assert list(doctor("reach", "--url", at(server))) == ["127.0.0.1 is not in ALLOWED_HOSTS", "it answers 400"]


@pytest.mark.django_db(transaction=True)
def test_a_page_from_elsewhere(doctor: Doctor, server: str, settings: Any) -> None:  # noqa: F811
    settings.ALLOWED_HOSTS, settings.DEBUG = ["127.0.0.1", "clinic.example"], True
    arguments = ("reach", "--url", at(server), "--origin", "https://app.example")
    assert list(doctor(*arguments)) == [
        "pages from https://app.example may not call",
        "sockets of pages from https://app.example are refused (403)",
    ]

    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    assert doctor(*arguments) == {}


@pytest.mark.django_db(transaction=True)
def test_a_server_that_knows_no_sockets(doctor: Doctor, live_server: Any, settings: Any) -> None:
    """WSGI alone, as when the proxy sends everything to gunicorn."""
    settings.ALLOWED_HOSTS, settings.DEBUG = ["localhost", "clinic.example"], True

    assert list(doctor("reach", "--url", live_server.url)) == ["a socket is answered with 404 instead of 101"]


def test_nobody_at_the_address(doctor: Doctor, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "clinic.example"]

    assert "nobody answers at https://127.0.0.1:1 (ConnectError)" in doctor("reach", "--url", "https://127.0.0.1:1")


async def test_a_certificate_that_phones_refuse(tmp_path: Path) -> None:
    """A TLS server that says nothing: its certificate is all that is asked for."""
    import ssl

    from avicenna.doctor.reach import _of_certificate, urlsplit

    path = write_certificate(tmp_path / "c.pem", days=60)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path, path.with_suffix(".key"))
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context) as shown:
        port = shown.sockets[0].getsockname()[1]
        trusted, findings = await asyncio.to_thread(_of_certificate, urlsplit(f"https://127.0.0.1:{port}"))

    assert not trusted
    assert [one.found for one in findings][1] == "phones refuse it: self-signed certificate"


def test_what_redirects_for_ever(doctor: Doctor, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.BEHIND_TLS_PROXY = True, False

    assert "every request is redirected to https, also those that came by it" in doctor("reach")
