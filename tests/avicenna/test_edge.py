"""The edge of the clinic in production: what a stranger can make it believe, read, take in or reveal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as configured
from django.test import Client

from avicenna.checks import what_protects_is_there
from avicenna.limits import LIMITS
from avicenna.proxies import client_address
from benchmarks.servers import free_port
from realtime.admission import client_address as socket_address
from tests.run import PRODUCTION

ROOT = Path(__file__).resolve().parents[2]
PROXY, STRANGER = "10.0.0.7", "203.0.113.9"
HTTPS = {"X-Forwarded-Proto": "https", "Host": "clinic.example"}


@pytest.fixture
def behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/24"), ip_network("::1")]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.parametrize(("peer", "forwarded", "client"), [
    (STRANGER, "", STRANGER),
    (STRANGER, "198.51.100.1", STRANGER),  # says whose it is, and is no proxy
    (PROXY, "198.51.100.1", "198.51.100.1"),
    (PROXY, "192.0.2.1, 198.51.100.1", "198.51.100.1"),  # the client said the left one
    (PROXY, "198.51.100.1, 10.0.0.8", "198.51.100.1"),  # two proxies in a row
    (PROXY, "10.0.0.9, 10.0.0.8", "10.0.0.9"),
    (PROXY, "2001:db8::1", "2001:db8::1"),
    ("::ffff:10.0.0.7", "::ffff:198.51.100.1", "198.51.100.1"),
    (PROXY, "nobody", PROXY),
    (PROXY, "", PROXY),
    ("", "", "127.0.0.1"),  # a Unix socket
])  # fmt: skip
def test_only_a_proxy_says_whose_request_it_is(behind_a_proxy: None, peer: str, forwarded: str, client: str) -> None:
    assert client_address(peer, forwarded) == client
    lines = [(b"x-forwarded-for", part.encode()) for part in forwarded.split(",")]  # a proxy may add a line of its own
    assert socket_address({"client": (peer, 1), "headers": lines}) == client


def tries(api: Any, peer: str, forwarded: Any) -> list[int]:
    return [
        api().post("/api/auth/token", {}, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded(n)).status_code
        for n in range(61)  # a minute may end in between
    ]


def test_a_stranger_gets_no_more_tries_by_inventing_addresses(api: Any, db: None, behind_a_proxy: None) -> None:
    assert 429 in tries(api, STRANGER, lambda n: f"198.51.100.{n}")
    assert 429 in tries(api, PROXY, lambda n: f"198.51.100.{n}, 192.0.2.4")


def test_behind_a_proxy_each_client_has_its_own_tries(api: Any, db: None, behind_a_proxy: None) -> None:
    assert 429 not in tries(api, PROXY, lambda n: f"198.51.100.{n}")


def test_only_a_proxy_says_that_it_was_https(client: Client, settings: Any, behind_a_proxy: None) -> None:
    settings.SECURE_SSL_REDIRECT = True

    codes = [client.get("/", headers={"X-Forwarded-Proto": "https"}, REMOTE_ADDR=peer).status_code
             for peer in (PROXY, STRANGER)]  # fmt: skip

    assert codes == [200, 301]


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/api/me", "/health", "/static/dashboard/app.js", "/nowhere"])
def test_every_answer_tells_the_browser_what_it_may(client: Client, db: None, path: str) -> None:
    answer = client.get(path)

    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";"))
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy.get("script-src", policy["default-src"])
    assert policy["default-src"] in ("'self'", "'none'")
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Cross-Origin-Resource-Policy"] == answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert (answer["X-Content-Type-Options"], answer["Referrer-Policy"]) == ("nosniff", "same-origin")


def test_what_the_api_answers_stays_out_of_caches(api: Any, alice: Any) -> None:
    assert api(alice).get("/api/me")["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/schema"])
def test_the_documentation_is_closed_by_setting(client: Client, settings: Any, path: str) -> None:
    settings.API_DOCS = False

    assert client.get(path).status_code == 404


def test_without_what_protects_the_check_fails(settings: Any) -> None:
    assert what_protects_is_there(None) == []
    settings.MIDDLEWARE = [name for name in configured.MIDDLEWARE if "HeadersMiddleware" not in name]

    assert [error.id for error in what_protects_is_there(None)] == ["avicenna.E013"]


def test_the_page_tells_every_limit() -> None:
    rows = [
        f"| {limit.what} | {limit.by_address or '-'} | {limit.by_user or '-'} |"
        + (" closed |" if limit.closed_without_cache else " open |")
        for limit in LIMITS.values()
    ]

    assert "\n".join(rows) in (ROOT / "docs/security.md").read_text(encoding="utf-8")


def test_every_limit_holds_something() -> None:
    views = [*ROOT.glob("*/views.py"), *ROOT.glob("*/views/*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in views)

    assert [name for name in LIMITS if f'limited("{name}")' not in code] == []


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_too_large_a_body_is_refused_by_its_length(client: Client, db: None, accept: str) -> None:
    big = b"x" * (configured.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)

    for path in ("/api/auth/token", "/admin/login/"):
        answer = client.post(path, big, content_type="multipart/form-data; boundary=x", headers={"Accept": accept})
        assert answer.status_code == 413


# ── a server with DEBUG=0 ──


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """What production runs, over a SQLite file of its own and behind a proxy on this machine."""
    folder, port = tmp_path_factory.mktemp("production"), free_port()
    chosen = {"DATABASE_URL": f"sqlite:///{folder}/clinic.sqlite3", "REDIS_URL": "", "BEHIND_TLS_PROXY": "1"}
    env = {**os.environ, **PRODUCTION, **chosen, "DJANGO_SETTINGS_MODULE": "avicenna.settings"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    command = [sys.executable, "-m", "uvicorn", "avicenna.asgi:application", "--port", str(port), "--no-proxy-headers"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([*command, "--no-access-log"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HTTPS, timeout=60) as client:
            _wait_for(client)
            yield client
    finally:
        server.kill()
        server.wait()


def _wait_for(client: httpx.Client) -> None:
    for _ in range(600):
        try:
            client.get("/health/live")
            return
        except httpx.ConnectError:
            time.sleep(0.1)
    pytest.fail("the server did not start within a minute")


NOTHING_HERE = {"en": "There is nothing here.", "fa": "چیزی در اینجا نیست."}


@pytest.mark.parametrize("language", NOTHING_HERE)
def test_a_wrong_address_gets_a_page_or_the_error_shape(production: httpx.Client, language: str) -> None:
    headers = {"Accept-Language": language}

    page = production.get("/nowhere", headers=headers | {"Accept": "text/html"})
    data = production.get("/nowhere", headers=headers)

    assert (page.status_code, data.status_code) == (404, 404)
    assert NOTHING_HERE[language] in page.text and f'lang="{language}"' in page.text
    assert data.json() == {"error": {"code": "not_found", "message": NOTHING_HERE[language]}}


@pytest.mark.parametrize(("path", "headers", "status"), [
    ("/", {"Host": "elsewhere.example"}, 400),
    ("/admin/login/", {}, 403),  # without the token of its form
    ("/nowhere", {}, 404),
])  # fmt: skip
def test_an_error_page_gives_nothing_away(
    production: httpx.Client, path: str, headers: dict[str, str], status: int
) -> None:
    page = production.post(path, headers=HTTPS | {"Accept": "text/html"} | headers, data={"email": "canary"})

    assert page.status_code == status
    assert not [
        word for word in ("Traceback", "django", "canary", "csrf", "manage.py", "Exception") if word in page.text
    ]
    assert "unsafe" not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/metrics", "/docs", "/redoc", "/schema"])
def test_what_is_for_the_house_is_closed(production: httpx.Client, path: str) -> None:
    assert production.get(path).status_code == 404


def test_plain_http_is_sent_to_https_and_stays_there(production: httpx.Client) -> None:
    plain, safe = (production.get("/health/x", headers={"X-Forwarded-Proto": proto}) for proto in ("http", "https"))
    page = production.get("/admin/", headers={"X-Forwarded-Proto": "http"})

    assert (page.status_code, page.headers["Location"]) == (301, "https://clinic.example/admin/")
    assert "max-age=31536000; includeSubDomains; preload" in safe.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in plain.headers


def test_cookies_are_as_strict_as_browsers_allow(client: Client, db: None) -> None:
    env = os.environ | PRODUCTION | {"DJANGO_SETTINGS_MODULE": "avicenna.settings"}
    told = subprocess.run(
        [sys.executable, "manage.py", "diffsettings"], cwd=ROOT, env=env, capture_output=True, text=True
    )

    for name in ("SESSION", "CSRF"):
        assert f"{name}_COOKIE_NAME = '__Host-" in told.stdout
        assert f"{name}_COOKIE_SECURE = True" in told.stdout
    cookie = client.get("/admin/login/").cookies["csrftoken"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")


def test_an_endless_body_is_cut(production: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    answer = production.post("/api/auth/token", content=endless(), headers={"Accept-Language": "fa"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert production.get("/health/live").status_code == 200


def test_other_origins_are_told_nothing(production: httpx.Client) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}

    named, other = (
        production.options("/api/me", headers=asked | {"Origin": origin})
        for origin in ("https://clinic.example", "https://elsewhere.example")
    )

    assert named.headers["Access-Control-Allow-Origin"] == "https://clinic.example"
    assert "Access-Control-Allow-Origin" not in other.headers
    assert "Access-Control-Allow-Credentials" not in named.headers
