"""`make lighthouse`: what Lighthouse says about the dashboard on a phone, against a deployment on this machine.

The mobile preset, its simulated slow network and processor; each page is loaded as on a first visit, nothing kept but
the session. Of each figure the median of RUNS, because others may use the machine. Exit code 1 when one is missed.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from benchmarks.browser import chromium, sign_in
from benchmarks.deployment import Missing, deployment
from tests.e2e.conftest import PASSWORD, PHONE

NODE = Path(__file__).resolve().parent / "node"
CLI = NODE / "node_modules/lighthouse/cli/index.js"
RUNS = 5
ASKED = {"performance": 95, "accessibility": 100, "best-practices": 100}
TIMES = {
    "first-contentful-paint": "first paint",
    "largest-contentful-paint": "largest paint",
    "speed-index": "speed index",
    "total-blocking-time": "blocked",
}

Reports = list[dict[str, Any]]


def main() -> int:
    console = Console(width=130)
    try:
        install()
        with deployment(niceness=19) as running:  # a phone has its processor to itself
            reports = measure(running.url)
    except Missing as missing:
        console.print(f"Needed and not found: {missing}.")
        return 1
    console.print(table(reports))
    missed = [f"{page}: {said}" for page, runs in reports.items() for said in shortcomings(runs)]
    for line in missed:
        console.print(line, highlight=False)
    console.print("MISSED" if missed else "All figures reached.")
    return 1 if missed else 0


def install() -> None:
    """Puts Lighthouse, as `node/package-lock.json` pins it, beside that file. Raises `Missing`."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Missing("node and npm (on Debian: apt install nodejs npm)")
    if not CLI.is_file():
        done = subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--no-audit"], cwd=NODE)
        if done.returncode:
            raise Missing("Lighthouse, which npm could not install")


def measure(url: str) -> dict[str, Reports]:
    """The door first: nobody is signed in yet."""
    with chromium() as port:
        reports = {"sign in": [run(port, url) for _ in range(RUNS)]}
        diagnosis = visit(port, url)
        reports["home, signed in"] = [run(port, url) for _ in range(RUNS)]
        reports["a diagnosis"] = [run(port, f"{url}/#/diagnoses/{diagnosis}") for _ in range(RUNS)]
    return reports


def visit(port: int, url: str) -> str:
    """Signs the patient in, in a browser that is left open; returns the diagnosis on top."""
    with sync_playwright() as playwright:
        context = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}").contexts[0]
        page = context.new_page()
        page.set_viewport_size(PHONE["viewport"])
        sign_in(page, url, "sara@demo.example", PASSWORD)
        address = page.locator("a.link").first.get_attribute("href") or ""
        page.close()
    return address.rsplit("/", 1)[1]


def run(port: int, url: str) -> dict[str, Any]:
    """One report. Lighthouse clears the caches and the service worker before, not what a session is kept in."""
    options = [f"--port={port}", f"--only-categories={','.join(ASKED)}", "--output=json", "--quiet"]
    command = ["node", str(CLI), url, *options]
    printed = subprocess.run(command, cwd=NODE, check=True, capture_output=True, text=True, timeout=180).stdout
    report: dict[str, Any] = json.loads(printed)
    return report


def score(report: Mapping[str, Any], category: str) -> float:
    return float(100 * (report["categories"][category]["score"] or 0))


def shortcomings(runs: Reports) -> list[str]:
    """The missed figures, with what Lighthouse finds wrong in the run in the middle."""
    said = []
    for category, asked in ASKED.items():
        middle = sorted(runs, key=lambda report: score(report, category))[RUNS // 2]
        if score(middle, category) < asked:
            said.append(f"{category} {score(middle, category):.0f}, {asked} asked: {'; '.join(lost(middle, category))}")
    return said


def lost(report: Mapping[str, Any], category: str) -> list[str]:
    weights = {ref["id"]: ref["weight"] for ref in report["categories"][category]["auditRefs"]}
    audits = [report["audits"][name] for name, weight in weights.items() if weight]
    return [f"{audit['id']} {audit.get('displayValue', '')}".strip() for audit in audits if (audit["score"] or 0) < 0.9]


def table(reports: Mapping[str, Reports]) -> Table:
    shown = Table(title=f"Lighthouse, mobile preset, median of {RUNS} runs")
    for heading in ("page", *ASKED, *TIMES.values(), "shift", "KiB"):
        shown.add_column(heading, justify="left" if heading == "page" else "right")
    for page, runs in reports.items():
        middle = lambda audit, runs=runs: statistics.median(one["audits"][audit]["numericValue"] for one in runs)  # noqa: E731
        scores = [f"{statistics.median(score(one, category) for one in runs):.0f}" for category in ASKED]
        times = [f"{middle(audit) / 1000:.2f} s" for audit in TIMES]
        shift, size = middle("cumulative-layout-shift"), middle("total-byte-weight") / 1024
        shown.add_row(page, *scores, *times, f"{shift:.3f}", f"{size:.0f}")
    return shown


if __name__ == "__main__":
    sys.exit(main())
