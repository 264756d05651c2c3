"""How strong a prior the reports themselves ask for: the mathematics, without Django.

Each subject's rate is taken to vary around its parent's as Beta(m mu, m (1 - mu)), so that its successes are
beta-binomial; m is chosen to make what was reported most likely (type II maximum likelihood; A. Gelman et al.,
*Bayesian Data Analysis*, 3rd ed., chapter 5).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import betaln

WEAKEST, STRONGEST = 0.5, 1_000.0

Array = NDArray[np.float64]


def fit_strength(
    n: Array, successes: Array, parent_n: Array, parent_successes: Array, alike: Array | None = None
) -> float:
    """The strength m, in reports, within WEAKEST and STRONGEST.

    All arrays have one entry per subject, or per as many with the same counts as `alike` says; a parent's counts
    include its child's, which are taken out here, so that no report speaks for both sides. Raises ValueError without a
    subject that has both reports and siblings.
    """
    others_n, others_successes = parent_n - n, parent_successes - successes
    usable = (n > 0) & (others_n > 0)
    if not usable.any():
        raise ValueError("No subject has reports of its own and siblings to be compared with.")
    weight = np.ones_like(n)[usable] if alike is None else alike[usable]
    n, successes = n[usable], successes[usable]
    mean = (others_successes[usable] + 0.5) / (others_n[usable] + 1)

    def surprise(log_strength: float) -> float:
        a, b = np.exp(log_strength) * mean, np.exp(log_strength) * (1 - mean)
        return -float(weight @ (betaln(a + successes, b + n - successes) - betaln(a, b)))

    found = minimize_scalar(surprise, bounds=(np.log(WEAKEST), np.log(STRONGEST)), method="bounded")
    return float(np.exp(found.x))
