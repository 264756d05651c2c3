"""Outcomes that lean on a second grade, which says how clear a success or a failure was.

A success beside a poor second grade was a narrow one. Moving each outcome by a share of the way to the mean outcome of
all reports with the same second grade leaves the mean as it is and takes out some of the chance by which a report fell
on this side of the line and not on the other. What it costs is bias, where the second grade means something else for
one remedy than for others; so the share is chosen by how well outcomes, as they are, are foretold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predictions.design_matrix import FloatArray

# A grade that few gave counts as if so many more had it, with the mean outcome of all.
PSEUDO_REPORTS = 2.0


def softened(outcomes: FloatArray, grades: NDArray[np.int64], share: float) -> FloatArray:
    """Outcomes (n,) of 0 or 1 and grades (n,) from 0 on, with `share` 0..1, as outcomes from 0 to 1."""
    every, good = np.bincount(grades), np.bincount(grades, weights=outcomes)
    typical = (good + PSEUDO_REPORTS * outcomes.mean()) / (every + PSEUDO_REPORTS)
    softer: FloatArray = (1 - share) * outcomes + share * typical[grades]
    return softer
