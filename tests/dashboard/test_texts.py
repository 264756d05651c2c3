"""The dashboard's texts: the same keys in both languages, none missing, none left over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils.translation import override

from diagnoses.models import Contraindication

PAGE = Path(__file__).resolve().parents[2] / "dashboard/static/dashboard"
MODULES = [path for path in PAGE.rglob("*.js") if not {"vendor", "translations"} & set(path.parts)]
KEY = r"[a-z_]+(?:\.[\w ]+)+"


def keys(language: str) -> set[str]:
    text = (PAGE / f"translations/{language}.js").read_text(encoding="utf-8")
    return set(re.findall(rf'^  "({KEY})":', text, re.M))


def asked() -> set[str]:
    """Every text in the code that looks like a key, `…` where a part of it is worked out."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    plain = re.findall(rf'(?<!words=)"({KEY})"', code)
    # has("error.…") and word("mizaj", …) put together what t() is given.
    worked_out = [text for text in re.findall(r"`((?:[a-z_.]|\$\{[^`]*?\})+)`", code) if "$" in text]
    words = [f"{key}.…" for key in re.findall(r'word\("(\w+)"', code)]
    scales = [f"{key}_…" for key in re.findall(rf'words="({KEY})"', code)]
    patterns = [re.sub(r"\$\{[^`]*?\}", "…", text) for text in worked_out]
    return {*plain, *words, *scales, *(pattern for pattern in patterns if re.match(r"[a-z_…]+\.", pattern))}


def fits(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace("…", r"[\w .]+") + "$")


def test_both_languages_have_the_same_texts() -> None:
    assert keys("en") == keys("fa")


def test_every_text_that_is_asked_for_exists() -> None:
    known = keys("en")
    spaces = {key.split(".")[0] for key in known}
    missing = {key for key in asked() if key.split(".")[0] in spaces and not any(map(fits(key).match, known))}

    assert missing == set()


def test_no_text_is_left_over() -> None:
    patterns = [fits(key) for key in asked()]

    assert {key for key in keys("en") if not any(pattern.match(key) for pattern in patterns)} == set()


@pytest.mark.parametrize("language", ["en", "fa"])
def test_placeholders_survive_the_translation(language: str) -> None:
    def placeholders(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    texts = {
        code: dict(
            re.findall(rf'^  "({KEY})":\s*((?:.|\n(?!  "))+)', (PAGE / f"translations/{code}.js").read_text(), re.M)
        )
        for code in ("en", language)
    }
    different = {key for key in texts["en"] if placeholders(texts["en"][key]) != placeholders(texts[language][key])}
    assert different == set()


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_cause_has_the_words_that_the_server_says(language: str) -> None:
    text = (PAGE / f"translations/{language}.js").read_text(encoding="utf-8")
    with override(language):
        causes = {value: str(label) for value, label in Contraindication.Cause.choices}

    assert dict(re.findall(r'^  "cause\.(\w+)": "(.*)",', text, re.M)) == causes


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_no_word_is_said_outside_the_translations(module: Path) -> None:
    """Attributes that are read aloud hold only what `${…}` brings, and no module holds Persian."""
    code = re.sub(r"^\s*(?://|\*|/\*).*$", "", module.read_text(encoding="utf-8"), flags=re.M)
    markup = "".join(re.findall(r"html`([^`]*)`", code))
    said = re.findall(r'(?:aria-label|placeholder|title|alt)="([^"$]+)"', markup)

    assert said == []
    assert re.findall("[\u0600-\u06ff]{2,}", code) == []
