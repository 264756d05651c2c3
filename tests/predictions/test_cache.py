"""A ranking is made once; whatever it was made of changes, the next answer is the one that would be made anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from prometheus_client import REGISTRY

from diagnoses.actions import (
    change_diagnosis,
    change_patient,
    complete_recommendation,
    recommend,
    replace_recommendation,
    save_term,
    stop_recommendation,
)
from diagnoses.models import Remedy
from feedback.actions import change, submit, withdraw
from feedback.models import Feedback
from predictions.actions import activate_model
from predictions.models import PredictionModel

PATIENT = {"warm_dry": 0.3, "cold_wet": -0.3}


def hits() -> float:
    return REGISTRY.get_sample_value("prediction_cache_hits_total") or 0.0


@pytest.fixture
def of_everything(learned: Any, patient: Any) -> Any:
    """A model that looks at every feature."""

    def use(shift: float = 0.0) -> PredictionModel:
        model: PredictionModel = learned(
            remedy={"mint": 0.5 + shift, "sweet-violet": 0.2},
            mizaj=PATIENT,
            sex={"female": 0.2, "male": -0.2},
            age_band={"<18": 0.5, "<45": 0.2},
            patient_kind={f"{patient.pk.hex}|herbal": 0.4, f"{patient.pk.hex}|dietary": -0.4},
        )
        return model

    return use


@pytest.mark.parametrize("with_model", [False, True])
def test_the_second_answer_is_the_first_without_its_work(
    api: Any, asked: Any, alice: Any, diagnosis: Any, both: Any, history: None, of_everything: Any, with_model: bool,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    if with_model:
        of_everything()
    client, before = api(alice), hits()
    first = client.get("/api/predictions/", {"diagnosis": str(diagnosis.pk)}).json()

    with django_assert_max_num_queries(3):  # session, diagnosis, recommendations
        second = client.get("/api/predictions/", {"diagnosis": str(diagnosis.pk)}).json()

    assert second == first and len(first["predictions"]) == 2
    assert hits() - before == 1


def test_each_level_is_kept_by_itself(asked: Any, alice: Any, diagnosis: Any, both: Any, history: None) -> None:
    levels = ["conservative", "balanced", "aggressive"]
    first, second = ([asked(alice, diagnosis=diagnosis.pk, optimization_level=level) for level in levels] for _ in "ab")

    assert first == second
    assert len({answer["predictions"][0]["score"] for answer in first}) == 3


def test_what_is_kept_is_worded_for_whoever_reads_it(
    api: Any, asked: Any, alice: Any, bob: Any, diagnosis: Any, both: Any, of_everything: Any
) -> None:
    of_everything()
    asked(alice, diagnosis=diagnosis.pk)
    before = hits()

    to_bob = asked(bob, diagnosis=diagnosis.pk)["predictions"][0]
    in_persian = api(alice, accept_language="fa").get("/api/predictions/", {"diagnosis": str(diagnosis.pk)}).json()

    assert hits() - before == 2
    assert "Remedies of this kind have helped this patient before." in to_bob["reasons"]
    assert in_persian["predictions"][0]["remedy_name"] == "نعناع"
    assert "درمان‌هایی از این دست پیش‌تر به شما کمک کرده‌اند." in in_persian["predictions"][0]["reasons"]


def own_report(**said: Any) -> Callable[..., None]:
    return lambda cast: submit(
        actor=cast["alice"], recommendation_id=cast["both"][0].pk, rating=1, symptom_improvement=1, **said
    )


def report_of(cast: Any) -> Feedback:
    return Feedback.objects.get(recommendation=cast["both"][1])


CHANGES: dict[str, Callable[[Any], object]] = {
    "a report": own_report(),
    "a report that is changed": lambda c: change(actor=c["alice"], feedback=report_of(c), changes={"rating": 1}),
    "a report that is withdrawn": lambda c: withdraw(actor=c["alice"], feedback=report_of(c)),
    "a recommendation more": lambda c: recommend(actor=c["bob"], diagnosis=c["diagnosis"], remedy=c["tea"]),
    "one stopped": lambda c: stop_recommendation(actor=c["bob"], recommendation=c["both"][0]),
    "one completed": lambda c: complete_recommendation(actor=c["bob"], recommendation=c["both"][0]),
    "one replaced": lambda c: replace_recommendation(actor=c["bob"], recommendation=c["both"][0], remedy=c["tea"]),
    "the mizaj": lambda c: change_patient(actor=c["bob"], patient=c["patient"], changes={"mizaj_type": "cold_wet"}),
    "the sex": lambda c: change_patient(actor=c["bob"], patient=c["patient"], changes={"sex": "male"}),
    "the birth date": lambda c: change_patient(
        actor=c["bob"], patient=c["patient"], changes={"birth_date": timezone.localdate() - timedelta(days=4000)}
    ),
    "the model": lambda c: c["of_everything"](shift=1.0),
    "back to an earlier model": lambda c: activate_model(PredictionModel.objects.get(version=1)),
    "the kind of a remedy": lambda c: save_term(actor=c["sam"], term=edited(c["mint"], kind="dietary")),
    "the name of a remedy": lambda c: save_term(actor=c["sam"], term=edited(c["mint"], name_en="Peppermint")),
    "a remedy withdrawn": lambda c: save_term(actor=c["sam"], term=edited(c["mint"], is_active=False)),
}


def edited(remedy: Remedy, **fields: Any) -> Remedy:
    for name, value in fields.items():
        setattr(remedy, name, value)
    return remedy


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_shows_at_once(
    asked: Any, alice: Any, bob: Any, sam: Any, patient: Any, diagnosis: Any, both: Any, mint: Any, of_everything: Any,
    name: str, django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    tea = Remedy.objects.create(slug="tea", name_en="Tea", name_fa="چای", kind="dietary")
    submit(actor=alice, recommendation_id=both[1].pk, rating=5, symptom_improvement=5)
    of_everything(shift=-1.0)
    of_everything()
    before, counted = asked(alice, diagnosis=diagnosis.pk), hits()
    cast = {"alice": alice, "bob": bob, "sam": sam, "patient": patient, "diagnosis": diagnosis, "both": both,
            "mint": mint, "tea": tea, "of_everything": of_everything}  # fmt: skip

    with django_capture_on_commit_callbacks(execute=True):
        CHANGES[name](cast)
    after = asked(alice, diagnosis=diagnosis.pk)
    is_new = after != before or hits() == counted
    cache.clear()

    assert after == asked(alice, diagnosis=diagnosis.pk)
    assert is_new


def test_the_imbalance_shows_at_once(asked: Any, alice: Any, bob: Any, diagnosis: Any, both: Any, learned: Any) -> None:
    learned(distance={})  # replaced below by the only group that looks at it
    model = PredictionModel.objects.get()
    model.coefficients["groups"] = [
        {"name": "distance", "scale": 1.0, "tokens": None, "means": [-1.0], "variances": [0.1], "center": 0.0}
    ]
    model.save()
    before = asked(alice, diagnosis=diagnosis.pk)["predictions"]

    change_diagnosis(actor=bob, diagnosis=diagnosis, changes={"imbalance": "cold"})

    assert asked(alice, diagnosis=diagnosis.pk)["predictions"] != before


def test_a_report_on_another_diagnosis_of_the_patient_makes_a_new_ranking(
    asked: Any, alice: Any, bob: Any, diagnosis: Any, other_diagnosis: Any, both: Any, mint: Any
) -> None:
    elsewhere = recommend(actor=bob, diagnosis=other_diagnosis, remedy=mint)
    before = asked(alice, diagnosis=diagnosis.pk)["predictions"]

    submit(actor=alice, recommendation_id=elsewhere.pk, rating=5, symptom_improvement=5)

    after = asked(alice, diagnosis=diagnosis.pk)["predictions"]
    score = {row["remedy"]: row["score"] for row in after}
    assert score["mint"] > {row["remedy"]: row["score"] for row in before}["mint"]


def test_a_new_day_makes_a_new_ranking(
    asked: Any, alice: Any, diagnosis: Any, both: Any, learned: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnosis.patient.birth_date = date(2000, 6, 15)
    diagnosis.patient.save()
    learned(age_band={"<18": 0.5, "<30": -0.5})
    scores = []
    for today in (date(2018, 6, 14), date(2018, 6, 15)):
        monkeypatch.setattr(timezone, "localdate", lambda *_, today=today: today)
        scores.append(asked(alice, diagnosis=diagnosis.pk)["predictions"][0]["score"])

    assert scores[0] > 0.5 > scores[1]


def test_it_holds_nothing_that_anybody_said_or_is_called(
    asked: Any, alice: Any, patient: Any, diagnosis: Any, both: Any, history: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(cache, "set_many", lambda values, *_: kept.update(values))

    asked(alice, diagnosis=diagnosis.pk)

    assert any(key.startswith(f"pred:{diagnosis.pk}:balanced:v0:") for key in kept)
    plain = (dict, list, tuple, str, int, float, type(None))
    texts = {text for text in walk(kept) if isinstance(text, str)}
    assert all(isinstance(value, plain) for value in walk(kept))
    assert not [text for text in texts if " " in text or "alice" in text.lower() or patient.pk.hex in text]


def walk(value: Any) -> list[Any]:
    inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return [value, *(part for one in inner for part in walk(one))] if isinstance(inner, (list, tuple)) else [value]


def test_without_redis_it_only_takes_longer(
    asked: Any, api: Any, alice: Any, diagnosis: Any, both: Any, history: None, redis_is_away: Any
) -> None:
    with_redis = asked(alice, diagnosis=diagnosis.pk)
    redis_is_away()

    assert asked(alice, diagnosis=diagnosis.pk) == with_redis
    batch = api(alice).post("/api/predictions/batch", {"diagnoses": [str(diagnosis.pk)]})
    assert batch.json() == [with_redis]


def test_every_answer_is_counted_once(asked: Any, alice: Any, diagnosis: Any, both: Any) -> None:
    def counted() -> list[float]:
        names = [("predictions_total", {"optimization_level": "aggressive"}), ("prediction_score_count", {})]
        return [REGISTRY.get_sample_value(name, labels) or 0.0 for name, labels in names]

    before = counted()
    for _ in range(2):
        asked(alice, diagnosis=diagnosis.pk, optimization_level="aggressive")

    assert [after - was for after, was in zip(counted(), before, strict=True)] == [2, 4]
