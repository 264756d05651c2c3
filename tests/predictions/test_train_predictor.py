from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils.dateparse import parse_datetime

from feedback.actions import Report, submit_history
from feedback.models import Feedback
from predictions.actions import activate_model
from predictions.engine import FORMAT
from predictions.models import PredictionModel
from predictions.registry import registry


@pytest.fixture
def reports(recommendation: Any) -> Any:
    def send(ratings: list[int]) -> None:
        submit_history(reports=[Report(recommendation.pk, rating=rating, symptom_improvement=3) for rating in ratings])

    return send


def train(capsys: Any, *arguments: str) -> str:
    registry.forget()  # every command is a process of its own
    call_command("train_predictor", *arguments)
    return str(capsys.readouterr().out)


def test_training_stores_what_it_learned_and_how_good_it_is(reports: Any, capsys: Any) -> None:
    reports([5, 4, 1] * 20)

    said = train(capsys)

    model = PredictionModel.objects.get()
    assert (model.version, model.training_size, model.holdout_size, model.is_active) == (1, 60, 6, True)
    assert set(model.metrics) == {"model", "shrunken_rates", "fixed_formula"}
    assert "Model v1 learned from 60 reports" in said
    assert "shrunken rates" in said


@pytest.mark.parametrize("ratings", [[], [5, 4, 1], [5] * 60])
def test_nothing_is_learned_from_too_little(reports: Any, ratings: list[int]) -> None:
    reports(ratings)

    with pytest.raises(CommandError, match="No model was trained"):
        call_command("train_predictor")
    assert not PredictionModel.objects.exists()


def test_a_worse_model_is_kept_but_not_used(reports: Any, capsys: Any) -> None:
    reports([5, 4, 1] * 18 + [5, 1] * 3)
    best = PredictionModel.objects.create(
        version=1, training_size=1, holdout_size=1, coefficients=as_good_as_one_number_can_be()
    )
    activate_model(best)

    assert "worse than the model in use" in train(capsys)
    assert PredictionModel.objects.get(is_active=True) == best


def test_what_the_model_in_use_has_seen_is_no_match_between_it_and_a_new_one(reports: Any, capsys: Any) -> None:
    reports([5, 4, 1] * 20)
    train(capsys)

    assert "has not seen" not in train(capsys)  # nothing is new: the newest tenth taught the first one, too
    reports([5, 4, 1])
    assert "on the 3 of them that the model in use has not seen either" in " ".join(train(capsys).split())


def test_a_model_says_which_reports_it_learned_from(reports: Any, capsys: Any, api: Any, sam: Any) -> None:
    reports([5, 4, 1] * 20)
    train(capsys)

    answer = api(sam).get("/api/predictions/model").json()
    first, *_, last = Feedback.objects.order_by("created_at", "pk")
    assert parse_datetime(answer["trained_from"]) == first.created_at
    assert parse_datetime(answer["trained_until"]) == last.created_at
    assert answer["half_life"] is None
    assert answer["training_size"] == 60


def test_a_worse_model_has_not_learned_from_the_newest_tenth(reports: Any, capsys: Any) -> None:
    reports([5, 4, 1] * 18 + [5, 1] * 3)
    activate_model(
        PredictionModel.objects.create(
            version=1, training_size=1, holdout_size=1, coefficients=as_good_as_one_number_can_be()
        )
    )
    train(capsys)

    assert PredictionModel.objects.get(version=2).training_size == 54


def test_one_can_go_back_to_an_earlier_version(reports: Any, capsys: Any) -> None:
    reports([5, 4, 1] * 20)
    train(capsys)
    train(capsys)

    assert "v1 is in use" in train(capsys, "--activate", "1")
    assert PredictionModel.objects.get(is_active=True).version == 1
    with pytest.raises(CommandError, match="no version 9; kept: 2, 1"):
        call_command("train_predictor", "--activate", "9")


def test_groups_that_say_nothing_are_left_out(reports: Any, capsys: Any) -> None:
    reports([5, 4, 1] * 20)  # one remedy, one patient, one of everything
    train(capsys)

    model = PredictionModel.objects.get()
    assert set(model.scales) == {group["name"] for group in model.coefficients["groups"]} | {
        name for name, scale in model.scales.items() if scale == 0
    }
    assert "age_band" not in model.scales  # her age is not known


def test_only_the_newest_versions_are_kept(reports: Any, capsys: Any) -> None:
    reports([5, 4, 1] * 20)
    PredictionModel.objects.bulk_create(
        PredictionModel(version=version, training_size=60, holdout_size=6) for version in range(1, 8)
    )
    train(capsys)

    assert list(PredictionModel.objects.values_list("version", flat=True)) == [8, 7, 6, 5, 4, 3]


def as_good_as_one_number_can_be() -> dict[str, Any]:
    """Of the held-out six half are successes, which the others are not, and nothing tells them apart."""
    return {"format": FORMAT, "intercept": 0.0, "intercept_variance": 1e-12, "groups": []}


def test_a_model_with_the_key_of_one_that_is_gone_is_another(db: None) -> None:
    for says in (0.5, 0.9):
        coefficients = {"format": FORMAT, "intercept": says, "intercept_variance": 0.1, "groups": []}
        PredictionModel.objects.create(
            pk=1, version=1, training_size=1, holdout_size=1, coefficients=coefficients, is_active=True
        )
        registry.forget()
        active = registry.active()
        assert active and active.model.intercept == says
        PredictionModel.objects.all().delete()
