from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from diagnoses.models import Condition, Remedy, SideEffect
from feedback.importing.druglib import HEADER
from feedback.models import Feedback
from predictions.design_matrix import Coded
from predictions.engine import FORMAT
from predictions.evaluation import SUCCESS, read_sample
from predictions.features import Cases, Reports
from predictions.history import training_reports
from predictions.models import PredictionModel

HEAD = "\t".join(HEADER) + "\n"
Run = Callable[..., tuple[str, str]]


def review(number: int, **changes: str) -> str:
    fields = dict(zip(HEADER, (str(number), "zoloft", "8", *["x"] * 6), strict=True))
    fields |= {"effectiveness": "Highly Effective", "sideEffects": "No Side Effects", "condition": "insomnia"} | changes
    return "\t".join(fields.values()) + "\n"


IMPORTED = HEAD + review(1) + review(2, rating="2")


@pytest.fixture
def catalogue(db: None) -> None:
    Condition.objects.create(slug="insomnia", name_en="Insomnia", name_fa="بی‌خوابی")
    Remedy.objects.create(slug="mint", name_en="Mint", name_fa="نعناع", kind="herbal")
    SideEffect.objects.create(slug="other", name_en="Other", name_fa="دیگر")


@pytest.fixture
def imported(catalogue: None, tmp_path: Path) -> Path:
    path = tmp_path / "imported.tsv"
    path.write_text(IMPORTED)
    call_command("import_feedback", path, format="druglib", stdout=StringIO())
    return path


@pytest.fixture
def model(db: None) -> PredictionModel:
    """Says 2/3 of everything."""
    always = {"format": FORMAT, "intercept": log(2), "intercept_variance": 1e-12, "groups": []}
    return PredictionModel.objects.create(
        version=41, training_size=1, holdout_size=1, coefficients=always, is_active=True
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def command(content: str, **options: Any) -> tuple[str, str]:
        path, out, err = tmp_path / "file.tsv", StringIO(), StringIO()
        path.write_text(content)
        call_command("evaluate_predictor", path, format="druglib", stdout=out, stderr=err, **options)
        return out.getvalue(), err.getvalue()

    return command


def told(cases: Cases) -> dict[str, list[Any]]:
    """What each row of each group holds, in words."""
    return {
        name: [column.labels[code] if code >= 0 else "" for code in column.codes]
        if isinstance(column, Coded)
        else np.nan_to_num(column, nan=-1).tolist()
        for name, column in cases.columns().items()
    }


def row(table: str, predictor: str) -> list[str]:
    (line,) = (line for line in table.splitlines() if predictor in line)
    return [cell.strip() for cell in line.split("│")[2:-1]]


def test_the_model_and_both_baselines_are_measured(imported: Path, model: PredictionModel, run: Run) -> None:
    said, warned = run(HEAD + review(3) + review(4, rating="2", urlDrugName="prozac") + "torn\n" + review(5))

    assert row(said, "model in use") == ["0.500", "0.2222", "0.6365", "0.000"]
    # zoloft: 1 of 2 succeeded, so 0.5; the formula says 0.55 of it, and 0.63 of prozac, which it does not know
    assert row(said, "shrunken rates") == ["0.500", "0.2500", "0.6931", "0.167"]
    assert row(said, "fixed formula") == ["0.000", "0.2673", "0.7300", "0.510"]
    assert "Model v41 measured on 3 reports of file.tsv" in said
    assert "1 rows unusable" in said
    assert warned == ""


def test_its_calibration_is_told(imported: Path, model: PredictionModel, run: Run) -> None:
    said, _ = run(HEAD + "".join(review(number, rating="2" if number % 2 else "8") for number in range(3, 25)))

    table = said[said.index("Calibration by tenths") :].splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in table if line.startswith("│")]
    assert rows == [["3", "0.667", "0.500"]] * 2 + [["2", "0.667", "0.500"]] * 8


def test_what_the_database_knows_is_counted_and_nothing_is_added(imported: Path, run: Run) -> None:
    said, _ = run(HEAD + review(3, condition="INSOMNIA. ") + review(4, urlDrugName="prozac", condition="sad days"))

    assert "knows 1 of their 2 remedies and 1 of their 2 conditions" in said
    assert (Remedy.objects.count(), Condition.objects.count(), Feedback.objects.count()) == (2, 1, 2)


def test_a_report_is_seen_as_training_sees_it_once_imported(imported: Path) -> None:
    sample = read_sample(imported, SUCCESS["system"])

    known = training_reports()
    assert Reports.of(sample.rows).outcomes.tolist() == known.outcomes.tolist()
    seen, trained = (told(cases) for cases in (Cases.of(case for case, _ in sample.rows), known.cases))
    assert seen == trained


@pytest.mark.parametrize(
    ("success", "changes", "brier"),
    [
        ("system", {"rating": "5", "effectiveness": "Ineffective"}, "0.1111"),
        ("system", {"rating": "4"}, "0.4444"),
        ("druglib", {"rating": "1"}, "0.1111"),
        ("druglib", {"effectiveness": "Marginally Effective"}, "0.4444"),
        ("druglib", {"sideEffects": "Severe Side Effects"}, "0.4444"),
    ],
)
def test_success_is_what_was_asked_for(
    imported: Path, model: PredictionModel, run: Run, success: str, changes: dict[str, str], brier: str
) -> None:
    said, _ = run(HEAD + review(3, **changes), success=success)

    assert row(said, "model in use")[:2] == ["–", brier]
    assert f"success: {success}" in said


def test_without_a_model_the_baselines_stand_alone(imported: Path, run: Run) -> None:
    said, _ = run(HEAD + review(3))

    assert "No model is in use" in said
    assert "model in use │" not in said
    assert row(said, "shrunken rates")


@pytest.mark.parametrize(("numbers", "warns"), [((1, 2, 3), True), ((1, 2, 3, 4), False)])
def test_a_file_that_is_mostly_imported_measures_memory(
    imported: Path, run: Run, numbers: tuple[int, ...], warns: bool
) -> None:
    _, warned = run(HEAD + "".join(review(number) for number in numbers))

    assert ("measures memory" in warned) is warns


def test_an_empty_catalogue_says_what_to_do(db: None, run: Run) -> None:
    with pytest.raises(CommandError, match="load_catalogue"):
        run(IMPORTED)


def test_a_database_without_reports_has_nothing_to_measure(catalogue: None, run: Run) -> None:
    with pytest.raises(CommandError, match="no reports yet"):
        run(IMPORTED)


@pytest.mark.parametrize(
    ("content", "message"), [("a,b\n1,2\n", "header lacks"), (HEAD + "torn\n", "no row is usable; 1 rows")]
)
def test_a_file_without_reports_is_refused(imported: Path, run: Run, content: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(content)
