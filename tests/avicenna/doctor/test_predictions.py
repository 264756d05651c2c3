"""Why do the predictions not improve?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from avicenna.identifiers import new_id
from diagnoses.actions import stop_recommendation
from feedback.actions import submit
from predictions.engine import Model
from predictions.models import PredictionModel
from tests.avicenna.doctor.conftest import Doctor


def stored_model(**changes: Any) -> PredictionModel:
    given = {"version": 3, "training_size": 9, "holdout_size": 1, "is_active": True, "coefficients": {}}
    return PredictionModel.objects.create(**given | changes)


def test_no_model_although_there_are_reports(doctor: Doctor, alice: Any, recommendation: Any) -> None:
    assert doctor("model") == {}
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4)

    assert "manage.py train_predictor" in doctor("model")["none is in use, although there are 1 reports"]


def test_a_model_that_is_damaged(doctor: Doctor) -> None:
    stored_model()

    assert "v3 is damaged" in doctor("model")


def test_a_model_that_is_old(doctor: Doctor, alice: Any, recommendation: Any) -> None:
    now = timezone.now()
    stored_model(coefficients=Model(0.5, 1.0, ()).to_dict(), trained_until=now - timedelta(days=40))
    PredictionModel.objects.update(trained_at=now - timedelta(days=40))
    submit(actor=alice, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4)

    assert doctor("model") == {"v3, trained 40 days ago on 9 reports, 1 since": "manage.py train_predictor"}


def test_why_the_predictions_of_a_diagnosis_do_not_improve(doctor: Doctor, alice: Any, recommendation: Any) -> None:
    arguments = ("predictions", "--diagnosis", recommendation.diagnosis_id)
    assert "there is no report on this diagnosis" in doctor(*arguments)
    assert "1 open recommendations have no report" in doctor(*arguments)

    submit(actor=alice, recommendation_id=recommendation.pk, rating=2, symptom_improvement=2)
    found = doctor(*arguments)
    assert "1 reports on this diagnosis, 2.0 of 5 on average" in found
    assert "0 other patients of the same mizaj have reported" in found
    assert "1 of the recommended remedies have fewer than 5 reports from all patients" in found
    assert "not recorded: birth date" in found

    stop_recommendation(actor=None, recommendation=recommendation)
    assert "there is no open recommendation, so nothing to rank" in doctor(*arguments)


def test_why_the_predictions_for_a_patient_do_not_improve(doctor: Doctor, dora: Any) -> None:
    found = doctor("predictions", "--patient", dora.patient.pk)

    assert "the patient's mizaj is not recorded" in found
    assert "Dora" not in str(found)


def test_who_is_not_there_cannot_be_examined(db: None) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("doctor", "--only", "predictions", "--diagnosis", str(new_id()))

    assert refused.value.returncode == 2
