"""Feedback drawn from a stated model, so that every report's true probability of success is known.

    logit P = 0.4 + a[remedy] + c[condition] + t[patient] + k[patient, kind]
              + (u[patient] warmth + v[patient] moisture) / 4           a taste for degrees
              - 2 (d - 0.9) - 1.5 (x warmth + y moisture) / 4           treatment by opposites
              + r[remedy, mizaj]

* `a` ~ Normal(0, 0.7) is how good a remedy is, `c` ~ Normal(0, 0.3) how easily a condition yields;
* `t` ~ Normal(0, 1) is a patient's disposition, `k` ~ Normal(0, 0.4) a taste for a kind of remedy, `u` and `v`
  ~ Normal(0, 0.6) a taste for what warms and for what moistens;
* `d` is the distance of the remedy's degrees from the exact opposite of the imbalance, `x` and `y` are the axes of the
  patient's own temperament, each -1, 0 or 1, and `r` ~ Normal(0, 0.25).

Every patient has three conditions, an imbalance for each and four remedies against each, of the 25 that are usual
against it, and reports on the twelve again and again over 400 days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PATIENTS, REMEDIES, CONDITIONS, KINDS, MIZAJES = 1_000, 500, 40, 6, 9
USUAL, CASES, REMEDIES_A_CASE, DAYS = 25, 3, 4, 400
# (warmth, moisture) of each temperament, in the order of diagnoses.mizaj.Mizaj, "balanced" the first.
AXES = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)])


@dataclass(frozen=True)
class Clinic:
    """n reports, oldest first: whole numbers that name things, shape (n,), and what is true of them."""

    patient: IntArray
    remedy: IntArray
    condition: IntArray
    imbalance: IntArray
    day: FloatArray
    chance: FloatArray
    success: NDArray[np.bool_]
    kind_of: IntArray
    mizaj_of: IntArray
    warmth_of: IntArray
    moisture_of: IntArray


def clinic(seed: int, reports: int, patients: int = PATIENTS, remedies: int = REMEDIES) -> Clinic:
    random = np.random.default_rng(seed)
    kind_of = random.integers(0, KINDS, remedies)
    warmth_of, moisture_of = random.integers(-3, 4, (2, remedies))
    mizaj_of = random.integers(0, MIZAJES, patients)
    conditions = random.integers(0, CONDITIONS, (patients, CASES))
    imbalances = random.integers(1, MIZAJES, (patients, CASES))
    usual = random.integers(0, remedies, (CONDITIONS, USUAL))
    given = usual[conditions[:, :, None], random.integers(0, USUAL, (patients, CASES, REMEDIES_A_CASE))]
    patient, case = random.integers(0, patients, reports), random.integers(0, CASES, reports)
    remedy = given[patient, case, random.integers(0, REMEDIES_A_CASE, reports)]
    condition, imbalance = conditions[patient, case], imbalances[patient, case]
    kind, mizaj, warmth, moisture = kind_of[remedy], mizaj_of[patient], warmth_of[remedy], moisture_of[remedy]
    distance = np.hypot(warmth + 2 * AXES[imbalance, 0], moisture + 2 * AXES[imbalance, 1]) / 4
    logit = 0.4 + random.normal(0, 0.7, remedies)[remedy] + random.normal(0, 0.3, CONDITIONS)[condition]
    logit += random.normal(0, 1.0, patients)[patient] + random.normal(0, 0.4, (patients, KINDS))[patient, kind]
    tastes = random.normal(0, 0.6, (2, patients))[:, patient]
    logit += (tastes[0] * warmth + tastes[1] * moisture) / 4
    logit += random.normal(0, 0.25, (remedies, MIZAJES))[remedy, mizaj] - 2 * (distance - 0.9)
    logit -= 1.5 * (AXES[mizaj, 0] * warmth + AXES[mizaj, 1] * moisture) / 4
    chance = 1 / (1 + np.exp(-logit))
    day = np.sort(random.uniform(0, DAYS, reports))
    success = random.random(reports) < chance
    known = (kind_of, mizaj_of, warmth_of, moisture_of)
    return Clinic(patient, remedy, condition, imbalance, day, chance, success, *known)
