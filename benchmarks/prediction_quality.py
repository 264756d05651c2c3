"""How well the success of a drug is foretold on real reviews that nothing has learned from."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import embedded  # noqa: F401  (before the clinic's modules)
from diagnoses.models import Remedy
from feedback.importing import druglib
from feedback.importing.names import slug_for
from predictions.features import Case, Cases, Reports
from predictions.tables import quality_table
from predictions.training import BASELINES, choose_settings, evaluate, evaluate_baseline


def measure(console: Console) -> dict[str, bool]:
    """Success as the authors of the data set put it; drug and condition are all that is known beforehand."""
    folder = Path(os.environ.get("DRUGLIB", ""))
    if not os.environ.get("DRUGLIB") or not (folder / "train.tsv").exists():
        console.print("quality: skipped. Set DRUGLIB to the folder of the Druglib.com reviews (see docs/import.md).")
        return {}
    seen, unseen = (reports_of(folder / name) for name in ("train.tsv", "test.tsv"))
    settings = choose_settings(seen)
    model = evaluate(settings.fit(seen), unseen)
    rivals = {name: evaluate_baseline(baseline, seen, unseen) for name, baseline in BASELINES.items()}
    title = f"{len(unseen):,} reviews of Druglib.com, learned from {len(seen):,} others"
    console.print(quality_table(title, {"model": model, **rivals}))
    scales = {name: scale for name, scale in settings.scales.items() if scale}
    console.print(f"prior scales {scales}, softening {settings.softening}")
    return {
        "druglib AUC ≥ 0.635": (model.auc or 0) >= 0.635,
        "druglib Brier ≤ 0.188": model.brier <= 0.188,
        "druglib calibration error ≤ 0.03": model.calibration_error <= 0.03,
    }


def reports_of(path: Path) -> Reports:
    """The second grade of a review is its rating, 1 to 10."""
    usable = [item for item in druglib.read(path) if isinstance(item, druglib.Report)]
    reviews = [(review, name) for review in usable if (name := druglib.normalise_condition(review.condition))]
    cases = Cases.of(
        Case(slug_for(review.drug, "drug-"), Remedy.Kind.DRUG.value, slug_for(name)) for review, name in reviews
    )
    outcomes = np.array([review.success for review, _ in reviews], dtype=np.float64)
    return Reports(cases, outcomes, np.zeros(len(reviews)), np.array([review.rating for review, _ in reviews]))
