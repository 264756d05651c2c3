"""What is said about a score, and that nothing is said in numbers that not everybody may see."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import translation
from hypothesis import HealthCheck, Phase, given, settings

from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Recommendation, Remedy
from feedback.actions import submit
from predictions.features import Case, columns_of
from predictions.reasons import ABOUT_PATIENT, TO_PATIENT
from predictions.sources import OF_GROUP, carried_by_groups
from tests.analytics.test_privacy import CELLS, CONDITIONS, REMEDIES, Cell, answers, fill

OF_MIZAJ = "Of the last 90 days' reports on it by people of your temperament, "
OF_COMPLAINT = "Of the last 90 days' reports on it for this complaint, "
OF_ALL = "Of the last 90 days' reports on it, "


def first(asked: Any, user: Any, diagnosis: Any) -> dict[str, Any]:
    cache.clear()  # what others report shows within the hour
    found: dict[str, Any] = asked(user, diagnosis=diagnosis.pk)["predictions"][0]
    return found


def test_the_strongest_groups_are_named_with_their_direction_and_weight(
    asked: Any, alice: Any, patient: Any, diagnosis: Any, recommendation: Any, learned: Any
) -> None:
    learned(
        remedy={"mint": 0.4}, condition={"headache": 0.05}, mizaj={"warm_dry": -0.2}, sex={"female": 0.3},
        patient={patient.pk.hex: 0.6},
    )  # fmt: skip

    found = first(asked, alice, diagnosis)

    named = [(row["group"], row["direction"], row["weight"]) for row in found["influences"]]
    # The three strongest all raise it, so that what lowers it joins them; a complaint that hardly counts does not.
    assert named == [("patient", "up", 0.6), ("remedy", "up", 0.4), ("sex", "up", 0.3), ("mizaj", "down", 0.2)]
    assert found["reasons"] == [row["text"] for row in found["influences"]]
    assert found["reasons"][0] == "Your earlier treatments went well."


def test_a_combination_nobody_knows_is_called_so(
    asked: Any, alice: Any, diagnosis: Any, recommendation: Any, learned: Any
) -> None:
    learned(remedy={"other": 0.4})

    found = first(asked, alice, diagnosis)

    assert found["reasons"] == ["Little is known about this combination; the estimate stays near the average."]
    assert (found["influences"], found["evidence"]["source"]) == ([], "prior")


@pytest.mark.parametrize(("groups", "source"), [
    ({"remedy": 0.5, "patient": -0.6}, "own_history"), ({"remedy": -0.5, "patient": 0.4}, "remedy_history"),
    ({"remedy_mizaj": 0.5, "remedy": 0.4}, "similar_patients"), ({"remedy": 0.09, "patient": -0.09}, "prior"),
    ({}, "prior"), ({"something new": 3.0}, "prior"),
])  # fmt: skip
def test_the_source_is_where_the_strongest_group_learned(groups: dict[str, float], source: str) -> None:
    assert carried_by_groups(groups) == source


def test_before_training_the_source_is_what_weighs_most(
    asked: Any, alice: Any, diagnosis: Any, recommendation: Any, mint: Any, tried: Any
) -> None:
    def source() -> str:
        return str(first(asked, alice, diagnosis)["evidence"]["source"])

    gout = Condition.objects.create(slug="gout", name_en="Gout", name_fa="نقرس")
    sources = [source()]
    tried(6, {mint: 5}, condition=gout)
    sources.append(source())
    tried(9, {mint: 5})
    submit(actor=alice, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1)
    sources.append(source())
    for _ in range(12):
        submit(actor=alice, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1)

    assert [*sources, source()] == ["prior", "remedy_history", "similar_patients", "own_history"]


def test_numbers_of_five_patients_are_told(
    asked: Any, alice: Any, diagnosis: Any, recommendation: Any, mint: Any, tried: Any, learned: Any
) -> None:
    tried(5, {mint: 5})
    tried(2, {mint: 1})
    learned(remedy={"mint": 0.2}, remedy_mizaj={"mint|warm_dry": 0.4}, remedy_condition={"mint|headache": -0.3})

    assert first(asked, alice, diagnosis)["reasons"] == [
        f"It suited people of your temperament. {OF_MIZAJ}5 of 7 were successes.",
        f"It worked less well for others with this complaint. {OF_COMPLAINT}5 of 7 were successes.",
        f"This remedy helps most people who try it. {OF_ALL}5 of 7 were successes.",
    ]


def test_numbers_are_written_as_the_language_writes_them(
    api: Any, alice: Any, diagnosis: Any, recommendation: Any, mint: Any, tried: Any, learned: Any
) -> None:
    tried(12, {mint: 5})
    learned(remedy={"mint": 0.2})

    answer = api(alice, accept_language="fa").get("/api/predictions/", {"diagnosis": str(diagnosis.pk)})

    [reason] = answer.json()["predictions"][0]["reasons"]
    assert reason.endswith("از ۱۲ گزارش ۹۰ روز گذشته دربارهٔ آن، ۱۲ گزارش موفق بوده است.")


@pytest.mark.parametrize("reader", ["alice", "bob", "sam"])
def test_nobody_is_told_of_fewer_than_five_patients(
    request: Any, asked: Any, bob: Any, diagnosis: Any, recommendation: Any, mint: Any, tried: Any, reader: str
) -> None:
    tried(4, {mint: 5})
    often = Recommendation.objects.exclude(diagnosis=diagnosis).first()
    for _ in range(3):  # patients count, not reports
        submit(actor=None, recommendation_id=often.pk, rating=5, symptom_improvement=5)
    few = first(asked, request.getfixturevalue(reader), diagnosis)
    tried(1, {mint: 5})
    enough = first(asked, request.getfixturevalue(reader), diagnosis)

    assert not [reason for reason in few["reasons"] if any(letter.isdigit() for letter in reason)]
    assert (few["evidence"]["feedbacks"], few["evidence"]["similar_patients"]) == (0, None)
    assert (enough["evidence"]["feedbacks"], enough["evidence"]["similar_patients"]) == (8, 5)
    assert [reason for reason in enough["reasons"] if "8 of 8 were successes" in reason]


def test_a_part_that_would_tell_of_the_rest_is_not_told(
    asked: Any, alice: Any, diagnosis: Any, recommendation: Any, mint: Any, tried: Any
) -> None:
    """Twelve headaches and two of gout: the total minus the headaches would be about two."""
    gout = Condition.objects.create(slug="gout", name_en="Gout", name_fa="نقرس")
    tried(12, {mint: 5})
    told = first(asked, alice, diagnosis)["reasons"]
    tried(2, {mint: 1}, condition=gout)
    tried(1, {mint: 1}, mizaj="cold_wet")

    found = first(asked, alice, diagnosis)

    assert [reason for reason in told if reason.startswith(OF_COMPLAINT)]
    assert not [reason for reason in found["reasons"] if reason.startswith((OF_COMPLAINT, OF_MIZAJ))]
    assert [reason for reason in found["reasons"] if reason == f"{OF_ALL}12 of 15 were successes."]
    assert found["evidence"]["similar_patients"] is None


@settings(
    max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(cells=CELLS)
def test_a_sentence_tells_what_everybody_may_see_and_no_more(
    api: Any, asked: Any, bob: Any, learned: Any, cells: dict[Cell, int]
) -> None:
    with transaction.atomic():
        for slug in REMEDIES:
            Remedy.objects.create(slug=slug, name_en=slug, name_fa=slug, kind="herbal")
        for slug in CONDITIONS:
            Condition.objects.create(slug=slug, name_en=slug, name_fa=slug)
        fill(cells)
        patient = create_patient(actor=None, full_name="P", mizaj_type="warm", care_team=[bob])
        headache = Condition.objects.get(slug="headache")
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        for remedy in Remedy.objects.all():
            recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
        learned(
            remedy=dict.fromkeys(REMEDIES, 0.5),
            remedy_mizaj={f"{slug}|warm": 0.4 for slug in REMEDIES},
            remedy_condition={f"{slug}|headache": 0.3 for slug in REMEDIES},
        )
        cache.clear()
        rows = asked(bob, diagnosis=diagnosis.pk)["predictions"]
        public = set(answers(api))
        transaction.set_rollback(True)
    for row in rows:
        about = {
            "remedy": ("*", row["remedy"], "*"),
            "remedy_mizaj": ("warm", row["remedy"], "*"),
            "remedy_condition": ("*", row["remedy"], "headache"),
        }
        told = {
            (*about[one["group"]], int(number))
            for one in row["influences"]
            for number in re.findall(r" of (\d+) were successes", one["text"])
        }
        assert told == {answer for answer in public if answer[:3] in about.values()}
        assert (row["evidence"]["similar_patients"] is not None) == bool(
            {a[:3] for a in told} & {about["remedy_mizaj"]}
        )


def test_ones_own_reports_are_ones_own_to_read(
    asked: Any, alice: Any, bob: Any, diagnosis: Any, recommendation: Any
) -> None:
    submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5)

    to_alice, to_bob = (first(asked, user, diagnosis) for user in (alice, bob))

    assert to_alice["reasons"][1] == "Of your own reports on it in the last 90 days, 1 of 1 were successes."
    assert to_bob["reasons"][1].startswith("Of this patient's own reports on it")
    assert to_alice["evidence"]["feedbacks"] == 1


@pytest.mark.parametrize("language", ["en", "fa"])
def test_both_wordings_say_something_about_every_group_source_and_number(language: str) -> None:
    words = {"en": ("you", "your"), "fa": ("شما", "خودتان")}[language]
    with translation.override(language):
        to, about = (
            {**wording.groups, **{name: (text,) for name, text in [*wording.sources.items(), *counts.items()]}}
            for wording in (TO_PATIENT, ABOUT_PATIENT)
            for counts in [{f"{name} in numbers": text for name, text in wording.counts.items()}]
        )
        told = [str(text).lower().split() for texts in about.values() for text in texts]

        assert to.keys() == about.keys() and OF_GROUP.keys() == TO_PATIENT.groups.keys()
        assert not [text for text in told if set(words) & set(text)]


def test_every_group_that_a_model_may_use_has_words() -> None:
    """But compliance, which nobody knows beforehand."""
    groups = columns_of([Case("mint", "herbal", "headache")]).keys()

    assert groups - {"compliance"} == TO_PATIENT.groups.keys()
