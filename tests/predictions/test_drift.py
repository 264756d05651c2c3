"""Drift is a metric and an alert: raised by errors, not by chance."""

from __future__ import annotations

import re
from datetime import timedelta
from math import isnan
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.utils import timezone
from prometheus_client import REGISTRY

from feedback.actions import Report, submit_history
from feedback.models import Feedback
from predictions.drift import measure_drift
from predictions.models import PredictionModel, PredictionRecord

RULES = Path(settings.BASE_DIR, "docker/prometheus/rules.yml")


@pytest.fixture
def tell(recommendation: Any) -> Any:
    """`tell(n, chance, share)`: n outcomes of predictions of `chance`, of which that share were successes."""

    def made(n: int, chance: float, share: float, *, days_ago: float = 0, version: int = 0) -> None:
        at = timezone.now() - timedelta(days=days_ago)
        ratings = [5 if number < n * share else 1 for number in range(n)]
        known = set(Feedback.objects.values_list("pk", flat=True))
        submit_history(reports=[Report(recommendation.pk, rating, 3, at=at) for rating in ratings])
        PredictionRecord.objects.bulk_create(
            PredictionRecord(
                recommendation=recommendation,
                diagnosis=recommendation.diagnosis,
                patient=recommendation.diagnosis.patient,
                number=len(known) + number,
                model_version=version,
                predicted=chance,
                lower=0,
                upper=1,
                feedback=feedback,
                reported_at=at,
            )
            for number, feedback in enumerate(Feedback.objects.exclude(pk__in=known))
        )

    return made


def exported(client: Any, settings: Any) -> dict[str, float]:
    """What Prometheus is told after a measurement."""
    measure_drift()
    settings.METRICS_TOKEN = "let-prometheus-in"
    text = client.get("/metrics", headers={"Authorization": "Bearer let-prometheus-in"}).content.decode()
    found = re.findall(r'^(prediction_\w+)\{window="7d"\} (\S+)$', text, re.M)
    return {name: float(value) for name, value in found}


def test_a_wrong_model_is_noticed(tell: Any, client: Any, settings: Any) -> None:
    tell(300, 0.8, 0.6)

    found = exported(client, settings)

    assert found["prediction_outcomes"] == 300
    assert found["prediction_calibration_error"] == pytest.approx(0.2)
    assert 0.05 < found["prediction_calibration_error_at_least"] < 0.2


def test_as_large_an_error_of_few_is_not(tell: Any, client: Any, settings: Any) -> None:
    tell(10, 0.8, 0.6)

    found = exported(client, settings)

    assert found["prediction_calibration_error"] == pytest.approx(0.2)
    assert found["prediction_calibration_error_at_least"] < 0.05


def test_only_the_last_week_and_the_version_in_use_count(tell: Any, client: Any, settings: Any) -> None:
    tell(50, 0.8, 0.2, days_ago=7.1)
    tell(50, 0.8, 0.2, version=1)
    tell(30, 0.6, 0.6, version=2, days_ago=6.9)
    PredictionModel.objects.create(version=2, training_size=1, holdout_size=1, is_active=True)

    found = exported(client, settings)

    assert (found["prediction_outcomes"], found["prediction_calibration_error_at_least"]) == (30, 0)


def test_nothing_reported_is_no_error(db: None, client: Any, settings: Any) -> None:
    found = exported(client, settings)

    assert found["prediction_outcomes"] == 0
    assert isnan(found["prediction_calibration_error"]) and isnan(found["prediction_calibration_error_at_least"])


def test_the_alerts_ask_for_metrics_that_there_are() -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"\w+(?=\{window)", rule["expr"])}

    assert asked and asked <= set(REGISTRY._names_to_collectors)
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in rules)
