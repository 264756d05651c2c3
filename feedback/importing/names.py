"""How names are compared and made into slugs, whatever keyboard they were written on."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from django.utils.text import slugify

IMPORTED = "imported"
SLUG_LENGTH = 80

# Keyboards and old programs write the Arabic letters where Persian has its own.
_PERSIAN = str.maketrans("يىك", "ییک")
_VOWEL_SIGNS = re.compile("[\u064b-\u0652\u0640]")


def name_key(text: str) -> str:
    """What two spellings of one name have in common, in Persian and English.

    Case, spaces, half-spaces, vowel signs and marks of direction do not count; Arabic yeh and kaf are the Persian
    letters; digits of all scripts are the same.
    """
    plain = plain_digits(persian_letters(unicodedata.normalize("NFKC", text).casefold()))
    return "".join(c for c in _VOWEL_SIGNS.sub("", plain) if not c.isspace() and unicodedata.category(c) != "Cf")


def persian_letters(text: str) -> str:
    return text.translate(_PERSIAN)


def plain_digits(text: str) -> str:
    """Digits of all scripts as 0-9."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def slug_for(name: str, prefix: str = "") -> str:
    """The slug a name always gets; where letters would be lost, a piece of the name's hash keeps it apart."""
    slug = prefix + slugify(name)
    if name.isascii() and slug != prefix and len(slug) <= SLUG_LENGTH:
        return slug
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    stem = slug[: SLUG_LENGTH - len(digest) - 1].strip("-") or IMPORTED
    return f"{stem}-{digest}"
