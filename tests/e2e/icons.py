"""`python -m tests.e2e.icons`: the pictures an installed app is shown by, drawn from the two SVG files."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Page, sync_playwright

from dashboard.shell import STATIC
from tests.e2e.conftest import CHROMIUM_FLAGS

FOLDER = STATIC / "dashboard/icons"
# The device rounds the corners of the last two itself.
PICTURES = [
    ("../icon.svg", "icon-192.png", 192),
    ("../icon.svg", "icon-512.png", 512),
    ("maskable.svg", "maskable-512.png", 512),
    ("maskable.svg", "touch-180.png", 180),
]


def draw(page: Page, source: str, name: str, size: int) -> None:
    page.set_viewport_size({"width": size, "height": size})
    svg = (FOLDER / source).read_text(encoding="utf-8").replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)
    page.set_content(f'<body style="margin: 0">{svg}')
    page.locator("svg").screenshot(path=FOLDER / name, omit_background=True)


def main() -> None:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        for source, name, size in PICTURES:
            draw(page, source, name, size)
        browser.close()


if __name__ == "__main__":
    main()
