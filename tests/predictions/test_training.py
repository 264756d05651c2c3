from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy.special import expit

from predictions.features import Case, Cases, Reports, columns_of
from predictions.training import Settings, choose_settings, freshness

DAY = 86_400.0


def reports(cases: list[Case], chances: np.ndarray, seed: int = 0, days: float = 400) -> Reports:
    """In even steps over `days`, with outcomes drawn from their chances."""
    outcomes = (np.random.default_rng(seed).random(len(cases)) < chances).astype(np.float64)
    seconds = np.linspace(0, days * DAY, len(cases))
    return Reports(Cases.of(cases), outcomes, seconds, np.zeros(len(cases), dtype=np.int64))


def test_what_a_remedy_no_longer_does_is_forgotten() -> None:
    number = np.arange(3000)
    cases = [Case(f"remedy-{n % 4}", "herbal", "cough") for n in number]
    turned = expit(2.5 * np.sin(number % 4 + number / len(number) * 2))

    assert choose_settings(reports(cases, turned)).half_life <= 180


def test_what_a_remedy_has_always_done_is_not() -> None:
    cases = [Case(f"remedy-{n % 4}", "herbal", "cough") for n in range(3000)]

    assert choose_settings(reports(cases, expit(np.arange(3000) % 4 - 1.5))).half_life == inf


def test_a_report_counts_half_after_a_half_life() -> None:
    assert freshness(np.array([0.0, 180 * DAY, 360 * DAY]), 180.0) == pytest.approx([0.25, 0.5, 1.0])
    assert freshness(np.array([0.0, 360 * DAY]), inf).tolist() == [1, 1]


def test_compliance_explains_what_was_and_foretells_nothing() -> None:
    """One remedy is as good as the other; of one, those report who do not take it."""
    number = np.arange(2000)
    compliance = np.where(number % 2, 5, 1 + number // 2 % 2)
    cases = [Case(f"remedy-{n % 2}", "herbal", "cough", compliance=int(c)) for n, c in enumerate(compliance)]
    told = reports(cases, expit(compliance - 3.0))

    model = choose_settings(told).fit(told)

    asked = columns_of([Case("remedy-0", "herbal", "cough"), Case("remedy-1", "herbal", "cough")])
    bad, good = model.score(asked).mean
    raw = [told.outcomes[number % 2 == which].mean() for which in (0, 1)]
    assert good - bad < 0.5 * (raw[1] - raw[0])


def test_groups_that_say_nothing_new_are_left_out() -> None:
    cases = [Case(f"remedy-{n % 4}", f"kind-{n % 4}", "cough") for n in range(2000)]

    scales = choose_settings(reports(cases, expit(np.arange(2000) % 4 - 1.5))).scales

    assert scales["remedy"] > 0.5
    assert {name for name, scale in scales.items() if scale} == {"remedy"}


def test_a_fit_from_the_coefficients_of_another_is_the_same() -> None:
    cases = [Case(f"remedy-{n % 4}", "herbal", f"cough-{n % 7}") for n in range(2000)]
    told = reports(cases, expit(np.arange(2000) % 4 - 1.5))
    settings = Settings({"remedy": 0.7, "condition": 0.3})

    anew = settings.fit(told)
    warm = settings.fit(told, start=settings.fit(told[:1500]))

    columns = told.cases.columns()
    assert warm.score(columns).logit == pytest.approx(anew.score(columns).logit, abs=1e-4)


def test_drugs_of_one_class_lean_on_each_other_and_herbs_have_none() -> None:
    columns = columns_of([Case(slug, "drug", "") for slug in ("drug-enalapril", "drug-ramipril-hct", "mint", "drug-")])

    column = columns["drug_class"]

    assert [column.labels[code] if code >= 0 else "" for code in column.codes] == ["ril", "ril", "", ""]
