"""A real server on a free port, with a small clinic of its own, and a browser in front of it."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.offline import IS_KEPT, wait_for_worker, wait_until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "avicenna-demo"
PUSH_KEY = base64.urlsafe_b64encode(bytes(31) + b"7").rstrip(b"=").decode()  # of nobody
expect.set_options(timeout=20_000)  # on a machine that is busy with the other half of the tests
PHONE: Any = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

CLINIC = f"""
from django.core.management import call_command

call_command("migrate", verbosity=0)
call_command("load_catalogue", verbosity=0)

from accounts.actions import register
from accounts.models import User
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Remedy
from feedback.actions import submit

amini = User.objects.create_user("dr.amini@demo.example", "{PASSWORD}", role="practitioner", name="Dr Amini")
sara = register(email="sara@demo.example", password="{PASSWORD}", full_name="Sara").patient
sara.care_team.add(amini)
remedies = list(Remedy.objects.order_by("slug")[:3])
for condition in Condition.objects.order_by("slug")[:2]:
    diagnosis = record_diagnosis(actor=amini, patient=sara, condition=condition, severity=3)
    for remedy in remedies:
        recommend(actor=amini, diagnosis=diagnosis, remedy=remedy, dosage="3 g", duration_days=30)
for rating in (5, 5, 4, 1, 5):  # others, on one of them: enough to be described
    patient = create_patient(actor=None, full_name="Other", care_team=[amini])
    diagnosis = record_diagnosis(actor=amini, patient=patient, condition=condition, severity=2)
    known = recommend(actor=amini, diagnosis=diagnosis, remedy=remedies[0])
    submit(actor=None, recommendation_id=known.pk, rating=rating, symptom_improvement=rating)
"""


class Server:
    """One uvicorn over one database; it can be stopped and started again on the same port."""

    def __init__(self, folder: Path, **chosen: str) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        database = f"sqlite:///{folder / 'clinic.sqlite3'}"
        usual = {"DEBUG": "1", "DATABASE_URL": database, "REDIS_URL": "", "RATELIMIT_ENABLE": "0"}
        push = {"VAPID_PRIVATE_KEY": PUSH_KEY, "VAPID_SUBJECT": "mailto:clinic@demo.example"}
        self._env = {**os.environ, **usual, **push, **chosen}

    def prepare(self) -> None:
        self.run(CLINIC)

    def run(self, code: str, seconds: float = 300) -> None:
        """In a shell of the clinic's. It may take its time beside the other half of the tests."""
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", code]
        subprocess.run(command, cwd=ROOT, env=self._env, check=True, timeout=seconds)

    def start(self) -> None:
        arguments = f"avicenna.asgi:application --port {self.port} --ws websockets-sansio --timeout-graceful-shutdown 1"
        command = [sys.executable, "-m", "uvicorn", *arguments.split(), "--log-level", "warning"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                httpx.get(f"{self.url}/health/live")
                return
            except httpx.TransportError:
                time.sleep(0.1)
        pytest.fail("the server did not start within a minute")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture(scope="session")
def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium found (chromium, chromium-browser or google-chrome in PATH, or CHROMIUM=path)")
    return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Server]:
    """Asks for the browser's path too: without a browser there is nothing to serve."""
    server = Server(tmp_path_factory.mktemp("clinic"))
    server.prepare()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """For one module only: playwright keeps an event loop running, which tests of async code cannot live beside."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A phone at the sign-in screen. Errors in the console and requests to other hosts fail the test."""
    context = browser.new_context(**PHONE, locale="en-GB", base_url=server.url)
    context.add_init_script("localStorage['avicenna.language'] ??= 'en'")  # as if chosen, whatever the account says
    page = context.new_page()
    page.set_default_timeout(20_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: request.url.startswith(server.url) or wrong.append(request.url))
    page.goto("/")
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def watching(page: Page) -> Page:
    """Sara, with one of her diagnoses open and live."""
    sign_in(page, "sara@demo.example")
    page.click("a.link >> nth=0")
    page.wait_for_selector("[data-state=live]")
    return page


@pytest.fixture
def kept(watching: Page) -> Page:
    """Sara's diagnosis, seen and kept; the home screen, too."""
    wait_for_worker(watching)
    watching.wait_for_selector(".recommendation")
    wait_until(watching, IS_KEPT)
    return watching


def sign_in(page: Page, email: str) -> None:
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    page.click("form .primary")
    page.wait_for_selector(".tabs")


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """Sara on a second device."""
    yield from signed_in(server, "sara@demo.example")


@pytest.fixture
def practitioner(server: Server) -> Iterator[httpx.Client]:
    yield from signed_in(server, "dr.amini@demo.example")


def signed_in(server: Server, email: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as client:
        pair = client.post("/api/auth/token", json={"email": email, "password": PASSWORD}).json()
        client.headers["Authorization"] = f"Bearer {pair['access']}"
        yield client
