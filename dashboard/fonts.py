"""Leaves of a font what a page needs: letters, weights, and what shapes them."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence


def subset(data: bytes, *, letters: list[str], weights: Sequence[int]) -> bytes:
    """The variable font `data` (WOFF2) with the letters of the ranges ("0600-060F", hexadecimal) and the weights
    between the two; the same bytes each time."""
    from fontTools.subset import Options, Subsetter, parse_unicodes
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells each letter
    font = TTFont(io.BytesIO(data), recalcTimestamp=False)
    # No hinting: phones do not look at it. Names: the licence asks that they stay.
    subsetter = Subsetter(Options(hinting=False, layout_features=["*"], name_IDs=["*"], notdef_outline=True))
    subsetter.populate(unicodes=parse_unicodes(",".join(letters)))
    subsetter.subset(font)
    instantiateVariableFont(font, {"wght": tuple(weights)}, inplace=True)
    font.flavor = "woff2"
    packed = io.BytesIO()
    font.save(packed)
    return packed.getvalue()
