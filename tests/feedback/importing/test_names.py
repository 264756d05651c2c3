from __future__ import annotations

import pytest

from diagnoses.models import SideEffect
from feedback.importing.names import name_key, slug_for


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("بی\u200cخوابی", "بی خوابی"),
        ("بی\u200cخوابی", "بيخوابي"),
        ("کتیرا", "كتيرا"),
        ("سَردَرد", "سردرد"),
        ("دیابت نوع ۲", "ديابت نوع 2"),
        ("Low  back pain ", "low back\u00a0pain"),
        ("\u200fسردرد", "سردرد"),
    ],
)
def test_spellings_of_one_name_match(one, other):
    assert name_key(one) == name_key(other)


def test_different_names_do_not_match():
    assert len({name_key(name) for name in ("سردرد", "کمردرد", "Gout", "Goat", "دیابت نوع ۱", "دیابت نوع ۲")}) == 6


@pytest.mark.parametrize(
    ("name", "prefix", "slug"),
    [
        ("high blood pressure", "", "high-blood-pressure"),
        ("adderall-xr", "drug-", "drug-adderall-xr"),
        ("?!", "", "imported-"),
        ("سردرد", "", "imported-"),
        ("سردرد", "drug-", "drug-"),
        ("long " * 30, "", "long-long"),
    ],
)
def test_slugs_are_short_valid_and_always_the_same(name, prefix, slug):
    made = slug_for(name, prefix)

    assert made.startswith(slug)
    assert made == slug_for(name, prefix)
    SideEffect(slug=made, name_en="x", name_fa="x").clean_fields()


def test_long_and_foreign_names_do_not_share_a_slug():
    names = ["long " * 30 + "a", "long " * 30 + "b", "سردرد", "کمردرد", "درد pain", "سردرد pain", "?!", "?"]

    assert len({slug_for(name) for name in names}) == len(names)
