"""What can be found wrong with a screen by looking at it: by axe, by measuring, and with large text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = (Path(__file__).parent / "axe/axe.min.js").read_text(encoding="utf-8")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]

# What is there to be touched. The box of a choice is its label's; a dialog makes the rest of the page inert.
SMALL = """least => {
  const scope = document.querySelector("dialog[open]") ?? document;
  const box = (e) => (e.type === "radio" || e.type === "checkbox" ? e.labels[0] : e).getBoundingClientRect();
  return [...scope.querySelectorAll("a[href], button, input, select, textarea, summary, label.switch")]
    .filter((e) => e.checkVisibility() && !e.matches(".skip"))
    .map((e) => [e, box(e)])
    .filter(([, { width, height }]) => Math.min(width, height) < least - 0.05)
    .map(([e, { width, height }]) => `${Math.round(width)}×${Math.round(height)} ${e.outerHTML.slice(0, 120)}`);
}"""

# What runs off the page, words that an element with a fixed size hides, and labels broken within a word; in fields one
# can move. What is laid out when it comes near is cut at its own edge.
LOST = """() => {
  const hides = (overflow) => overflow === "hidden" || overflow === "clip";
  const isCut = (e) => {
    const { overflowX, overflowY, contentVisibility } = getComputedStyle(e);
    const isWide = (hides(overflowX) || contentVisibility === "auto") && e.scrollWidth > e.clientWidth + 1;
    return isWide || (hides(overflowY) && e.scrollHeight > e.clientHeight + 1);
  };
  const isSeen = (e) => e.checkVisibility() && !e.closest(".unseen, svg, input, select, textarea");
  const cut = [...document.querySelectorAll("#app *")].filter((e) => isSeen(e) && isCut(e));
  const isBroken = (word, text, start) => {
    const range = document.createRange();
    range.setStart(text, start);
    range.setEnd(text, start + word.length);
    return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1;
  };
  const textsOf = (e) => [...e.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  const wordsOf = (text) => [...text.data.matchAll(/\\S+/g)];
  const brokenIn = (text) => wordsOf(text).some(({ 0: word, index }) => isBroken(word, text, index));
  const labels = [...document.querySelectorAll("#app label, .tabs span")];
  const broken = labels.filter((e) => isSeen(e) && textsOf(e).some(brokenIn));
  const { scrollWidth } = document.documentElement;
  const sticksOut = (e) => e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1;
  const out = [...document.querySelectorAll("#app *")].filter((e) => isSeen(e) && !e.children.length && sticksOut(e));
  const wide = scrollWidth > innerWidth ? [`${scrollWidth} pixels wide`, ...out.map((e) => e.textContent)] : [];
  const fixed = out.filter((e) => e.closest(".tabs")).map((e) => `off the page: ${e.textContent}`); // widens no page
  const parted = broken.map((e) => `broken: ${e.textContent}`);
  const hidden = cut.map((e) => `${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 60)}`);
  return [...wide, ...fixed, ...parted, ...hidden];
}"""


def violations(page: Page) -> list[str]:
    """What axe finds. It runs from the outside: the page's own policy does not let it in."""
    page.evaluate(f"{AXE};0")
    options: Any = {"runOnly": STANDARDS, "resultTypes": ["violations"]}
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{rule['id']}: {node['html'][:160]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def too_small(page: Page) -> list[str]:
    """What is to be touched and is not 44 pixels high and wide."""
    small: list[str] = page.evaluate(SMALL, 44)
    return small


def lost(page: Page) -> list[str]:
    """What is cut or runs off the page."""
    found: list[str] = page.evaluate(LOST)
    return found


def lost_at_twice_the_size(page: Page) -> list[str]:
    """The same when a person needs large text."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found = lost(page)
    page.evaluate("document.documentElement.style.fontSize = ''")
    return found


def lost_on_a_narrow_phone(page: Page) -> list[str]:
    """The same on the narrowest of phones."""
    usual = page.viewport_size
    assert usual is not None
    page.set_viewport_size({**usual, "width": 320})
    page.wait_for_timeout(300)  # what measures itself is drawn anew
    found = lost_at_twice_the_size(page)
    page.set_viewport_size(usual)
    return found


INSPECTIONS = {
    "axe": violations,
    "touch": too_small,
    "width": lost,
    "large text": lost_at_twice_the_size,
    "large text on a narrow phone": lost_on_a_narrow_phone,
}


def inspect(page: Page) -> dict[str, list[str]]:
    """What each inspection found on what is shown now."""
    return {name: inspection(page) for name, inspection in INSPECTIONS.items()}
