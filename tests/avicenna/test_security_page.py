"""What docs/security.md and docs/asvs.md point at is there: files, tests, headings; and their sums are right."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/security.md", "docs/asvs.md", "SECURITY.md")
FILE = re.compile(r"`([\w@.-]+(?:/[\w@.-]+)*(?:/|\.(?:py|js|json|md|yml|txt|template|service)))(?:::(\w+))?`")
LINK = re.compile(r"\]\(([\w./-]*)(?:#([\w-]+))?\)")
REQUIREMENT = re.compile(r"^\| ([\d., ]+) \| [^|]+ \| ([^|]+) \|", re.MULTILINE)
SUM = re.compile(r"^\| (met|partly|not met|n/a) \| (\d+) \|", re.MULTILINE)


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_test_it_names_exists(page: str) -> None:
    named = FILE.findall(text(page))

    gone = [path for path, _ in named if not (ROOT / path).exists()]
    assert gone == []
    assert [
        f"{path}::{test}"
        for path, test in named
        if test and not re.search(rf"^(async )?def {test}\(", text(path), re.M)
    ] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    links = LINK.findall(text(page))
    targets = [((ROOT / page).parent / path if path else ROOT / page, anchor) for path, anchor in links]

    assert links
    assert [
        target for target, anchor in targets if not target.exists() or (anchor and anchor not in anchors(target))
    ] == []


def test_the_pages_name_tests() -> None:
    assert sum(bool(test) for page in PAGES for _, test in FILE.findall(text(page))) > 150


def test_each_requirement_stands_once_and_the_sums_are_right() -> None:
    rows = [
        (number, state)
        for numbers, state in REQUIREMENT.findall(text("docs/asvs.md"))
        for number in numbers.split(", ")
    ]

    assert len({number for number, _ in rows}) == len(rows) == 253  # levels 1 and 2 of the standard
    assert {state: int(count) for state, count in SUM.findall(text("docs/asvs.md"))} == Counter(s for _, s in rows)
