from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Diagnosis, Remedy
from feedback.actions import Report, submit_history
from predictions.actions import activate_model, store_model
from predictions.engine import FORMAT, Model
from predictions.history import training_reports
from predictions.models import PredictionModel
from predictions.training import train


@pytest.fixture
def both(bob: Any, diagnosis: Any, mint: Any, violet: Any) -> tuple[Any, Any]:
    return tuple(recommend(actor=bob, diagnosis=diagnosis, remedy=remedy) for remedy in (mint, violet))  # type: ignore[return-value]


@pytest.fixture
def tried(bob: Any, headache: Any) -> Any:
    """Others who try remedies: each of `people` gives all of `ratings`, for a headache unless said otherwise."""

    def report(
        people: int, ratings: dict[Remedy, int], mizaj: str = "warm_dry", condition: Condition | None = None
    ) -> list[Diagnosis]:
        reports, diagnoses = [], []
        for _ in range(people):
            patient = create_patient(actor=None, full_name="P", mizaj_type=mizaj, care_team=[bob])
            diagnoses.append(record_diagnosis(actor=bob, patient=patient, condition=condition or headache, severity=2))
            for remedy, rating in ratings.items():
                recommendation = recommend(actor=bob, diagnosis=diagnoses[-1], remedy=remedy)
                reports.append(Report(recommendation.pk, rating=rating, symptom_improvement=3))
        submit_history(reports=reports)
        return diagnoses

    return report


@pytest.fixture
def history(tried: Any, mint: Any, violet: Any) -> None:
    """Forty others: violet helps four in five of them, mint one in five."""
    tried(32, {violet: 5, mint: 1})
    tried(8, {violet: 1, mint: 5})


@pytest.fixture
def model(history: None) -> PredictionModel:
    return store_model(train(training_reports(), None))


@pytest.fixture
def learned() -> Any:
    """Puts a model to use that learned just this: by group, what each token adds on the logit scale."""

    def use(**groups: dict[str, float]) -> PredictionModel:
        stored = {
            "format": FORMAT,
            "intercept": 0.0,
            "intercept_variance": 0.01,
            "groups": [
                {
                    "name": name,
                    "scale": 1.0,
                    "tokens": sorted(means),
                    "means": [means[token] for token in sorted(means)],
                    "variances": [0.01] * len(means),
                    "center": 0.0,
                }
                for name, means in groups.items()
            ],
        }
        Model.from_dict(stored)
        version = PredictionModel.objects.count() + 1
        made = PredictionModel.objects.create(version=version, training_size=1, holdout_size=1, coefficients=stored)
        activate_model(made)
        return made

    return use


@pytest.fixture
def asked(api: Any) -> Any:
    """The answer of an endpoint to somebody, who must get one."""

    def ask(user: Any, path: str = "", **query: Any) -> dict[str, Any]:
        answer = api(user).get(f"/api/predictions/{path}", {name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.json()
        found: dict[str, Any] = answer.json()
        return found

    return ask
