from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import rest_framework
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PO = ROOT / "locale/fa/LC_MESSAGES/django.po"
FRAMEWORKS = ROOT / "locale/frameworks/fa/LC_MESSAGES/django.po"
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


def source_texts() -> set[str]:
    """Every text in the code that is meant for people."""
    method_map = [("tests/**", "ignore"), (".venv/**", "ignore"), ("**.py", "python")]
    found = extract_from_dir(ROOT, method_map=method_map, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def test_every_text_has_a_persian_translation() -> None:
    with PO.open("rb") as file:
        translated = {message.id for message in read_po(file) if message.id and message.string}

    assert source_texts() - translated == set()


def test_no_translation_is_left_over() -> None:
    with PO.open("rb") as file:
        translated = {message.id for message in read_po(file) if message.id}

    assert translated - source_texts() == set()


def test_what_a_framework_says_is_put_in_other_words_only_while_it_says_it() -> None:
    said = Path(rest_framework.__file__).with_name("locale") / "fa/LC_MESSAGES/django.mo"
    with FRAMEWORKS.open("rb") as ours, said.open("rb") as theirs:
        assert {message.id for message in read_po(ours)} <= {message.id for message in read_mo(theirs)}


@pytest.mark.parametrize("po", [PO, FRAMEWORKS])
def test_placeholders_survive_the_translation(po: Path) -> None:
    with po.open("rb") as file:
        for message in read_po(file):
            assert isinstance(message.id, str)
            assert set(PLACEHOLDER.findall(message.id)) == set(PLACEHOLDER.findall(str(message.string))), message.id


@pytest.mark.parametrize("po", [PO, FRAMEWORKS])
def test_the_compiled_file_is_current(po: Path) -> None:
    with po.open("rb") as file:
        compiled = io.BytesIO()
        write_mo(compiled, read_po(file))

    assert po.with_suffix(".mo").read_bytes() == compiled.getvalue()
