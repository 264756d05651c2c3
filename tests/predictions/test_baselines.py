from __future__ import annotations

import numpy as np
import pytest

from predictions.baselines import FixedFormula, ShrunkenRates

REMEDIES = ["mint", "mint", "mint", "thyme"]
CONDITIONS = ["cough", "cough", "fever", "fever"]
OUTCOMES = [True, True, False, False]


def test_shrunken_rates_lean_on_the_remedy_and_the_remedy_on_everything():
    model = ShrunkenRates.fit(REMEDIES, CONDITIONS, OUTCOMES)
    mint = (2 + 15 * 0.5) / (3 + 15)

    found = model.predict(["mint", "mint", "sage"], ["cough", "asthma", "cough"])

    assert found == pytest.approx([(2 + 15 * mint) / (2 + 15), mint, 0.5])


def test_much_evidence_overrules_the_parent():
    model = ShrunkenRates.fit(["mint"] * 1000 + ["thyme"] * 1000, ["cough"] * 2000, [True] * 1000 + [False] * 1000)

    good, bad = model.predict(["mint", "thyme"], ["cough", "cough"])

    assert good > 0.98
    assert bad < 0.02


def test_the_formula_weighs_history_cohort_and_a_constant():
    model = FixedFormula.fit(REMEDIES, CONDITIONS, OUTCOMES)

    found = model.predict(["mint", "thyme"], ["cough", "fever"])

    assert found == pytest.approx([0.4 * 2 / 3 + 0.35 * 1 + 0.25 * 0.7, 0.25 * 0.7])


def test_the_formula_takes_seven_tenths_for_the_unknown():
    model = FixedFormula.fit(REMEDIES, CONDITIONS, OUTCOMES)

    found = model.predict(["sage", "mint", "sage"], ["asthma", "asthma", "cough"])

    assert found == pytest.approx([0.7, 0.4 * 2 / 3 + 0.6 * 0.7, 0.65 * 0.7 + 0.35])


@pytest.mark.parametrize("baseline", [ShrunkenRates, FixedFormula])
def test_arrays_and_no_rows_are_welcome(baseline):
    model = baseline.fit(np.array(REMEDIES), np.array(CONDITIONS), np.array(OUTCOMES))

    assert model == baseline.fit(REMEDIES, CONDITIONS, OUTCOMES)
    assert model.predict([], []).shape == (0,)


@pytest.mark.parametrize("baseline", [ShrunkenRates, FixedFormula])
def test_lengths_must_agree(baseline):
    with pytest.raises(ValueError, match="zip"):
        baseline.fit(REMEDIES, CONDITIONS[:-1], OUTCOMES)
    with pytest.raises(ValueError, match="zip"):
        baseline.fit(REMEDIES, CONDITIONS, OUTCOMES).predict(["mint"], [])


def test_shrunken_rates_need_a_report():
    with pytest.raises(ValueError, match="no reports"):
        ShrunkenRates.fit([], [], [])
