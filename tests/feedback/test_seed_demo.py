from __future__ import annotations

import os
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from analytics.rebuild import check
from diagnoses.actions import create_patient
from diagnoses.models import Condition, Contraindication, Diagnosis, Patient, Remedy, SideEffect
from feedback.demo import Story
from feedback.models import Feedback


@pytest.fixture
def catalogue(db: None) -> None:
    call_command("load_catalogue", verbosity=0)


@pytest.mark.thorough
@pytest.mark.skipif(
    bool(os.environ.get("TEST_REDIS_URL")), reason="test_serve.py fills the same clinic, and checks its figures"
)
def test_the_clinic_is_of_the_promised_size_and_consistent(catalogue: None, settings: Any, capsys: Any) -> None:
    settings.DEBUG = True
    call_command("seed_demo")
    said = capsys.readouterr().out

    assert "3 practitioners, 200 patients, 400 diagnoses" in said
    assert (Patient.objects.count(), Diagnosis.objects.count(), Feedback.objects.count()) == (200, 400, 5000)
    assert check().first == []
    assert [row.active_recommendations().exists() for row in Contraindication.objects.standing()] == [False, False]
    for email in ("sara@demo.example", "reza@demo.example"):
        user = User.objects.get(email=email)
        assert user.check_password("avicenna-demo")
        assert Diagnosis.objects.visible_to(user).filter(status="active").count() == 2

    call_command("seed_demo")
    assert "here already" in capsys.readouterr().out
    assert Feedback.objects.count() == 5000


def test_real_people_are_left_alone(catalogue: None) -> None:
    create_patient(actor=None, full_name="A real person")

    with pytest.raises(CommandError, match="real people"):
        call_command("seed_demo")
    call_command("seed_demo", if_empty=True)

    assert Patient.objects.count() == 1


def test_without_a_catalogue_it_says_what_to_do(db: None) -> None:
    with pytest.raises(CommandError, match="load_catalogue"):
        call_command("seed_demo")


def test_the_story_is_the_same_every_time(catalogue: None) -> None:
    from django.utils import timezone

    now = timezone.now()
    told = [
        Story(list(Condition.objects.all()), list(Remedy.objects.all()), SideEffect.objects.count(), now)
        for _ in range(2)
    ]

    assert told[0].reports == told[1].reports
    assert told[0].advice == told[1].advice
    assert 950 <= len(told[0].advice) <= 1050


@pytest.mark.thorough
def test_without_debug_nobody_can_sign_in(catalogue: None, settings: Any, monkeypatch: Any) -> None:
    settings.DEBUG = False
    monkeypatch.setattr("feedback.demo.REPORTS", 50)
    call_command("seed_demo")

    assert not any(user.has_usable_password() for user in User.objects.all())
