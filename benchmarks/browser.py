"""The system's Chromium, as the benchmarks of the dashboard use it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

from benchmarks.deployment import Missing
from benchmarks.servers import free_port, wait_for
from tests.e2e.conftest import CHROMIUM_FLAGS

# The first, which some systems have, leaves out what draws a window.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def path_of_chromium() -> str:
    """Raises `Missing`."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise Missing("Chromium (on Debian: apt install chromium; or CHROMIUM=path)")
    return found


@contextmanager
def chromium() -> Iterator[int]:
    """One without a window that trusts any certificate; yields the port of its developer tools."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="avicenna-chromium-") as folder:
        flags = ["--headless=new", f"--remote-debugging-port={port}", f"--user-data-dir={folder}"]
        command = [path_of_chromium(), *flags, "--ignore-certificate-errors", *CHROMIUM_FLAGS, "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    page.goto(url)
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("form .primary")
    page.wait_for_selector(".tabs")
    page.wait_for_selector("a.link")
