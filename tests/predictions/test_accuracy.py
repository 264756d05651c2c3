"""The accuracy of what was shown, compared with going through all of it by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from math import log
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnoses.actions import create_patient, recommend, record_diagnosis
from feedback.actions import change, withdraw
from predictions import accuracy
from predictions.matching import match
from predictions.metrics import calibration_error
from predictions.models import PredictionRecord
from tests.predictions.showing import belonging, report, show
from tests.predictions.test_matching import LONG_AGO

ACCURACY = "/api/predictions/accuracy"
SEXES, MIZAJES = ["female", "female", "male", ""], ["warm", "", "cold_wet"]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    accuracy._remembered.cache_clear()
    yield
    accuracy._remembered.cache_clear()


@pytest.fixture
def recommend_to(bob: Any, headache: Any, mint: Any) -> Any:
    """`recommend_to(sex=…, mizaj_type=…)`: mint to one more patient."""

    def made(**who: Any) -> Any:
        patient = create_patient(actor=None, full_name="P", care_team=[bob], **who)
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        return recommend(actor=bob, diagnosis=diagnosis, remedy=mint)

    return made


@pytest.fixture
def ask(api: Any, sam: Any) -> Any:
    """`ask(version=…)`: what staff is answered, with every report found."""
    client = api(sam)

    def get(**query: Any) -> Any:
        match(LONG_AGO)
        accuracy._remembered.cache_clear()
        cache.clear()  # how often one may ask
        answer = client.get(ACCURACY, query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return get


Row = tuple[float, bool]


def rows() -> dict[Any, list[Row]]:
    """What was predicted and whether it came true, by (version, month), from each run's first report if it stands."""
    found: dict[Any, list[Row]] = defaultdict(list)
    runs = PredictionRecord.objects.in_bulk()
    for pk, feedback in belonging().items():
        given_then = runs[pk].recommendation.feedback.get(pk=feedback)
        if not given_then.is_withdrawn:
            month = timezone.localdate(given_then.created_at).replace(day=1).isoformat()
            found[runs[pk].model_version, month].append((runs[pk].predicted, given_then.rating >= 3))
    return found


def agree(figures: Any, own: list[Row]) -> None:
    good = [chance for chance, success in own if success]
    bad = [chance for chance, success in own if not success]
    pairs = [(a > b) + (a == b) / 2 for a, b in product(good, bad)]
    happened, predicted = [success for _, success in own], [chance for chance, _ in own]
    rate = len(good) / len(own)
    assert figures["outcomes"] == len(own)
    assert figures["success_rate"] == pytest.approx(rate)
    assert (figures["auc"] and figures["auc"]["value"]) == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
    assert figures["brier"]["value"] == pytest.approx(sum((c - s) ** 2 for c, s in own) / len(own))
    assert figures["baseline_brier"] == pytest.approx(rate * (1 - rate))
    losses = [-log(max(c if s else 1 - c, 1e-15)) for c, s in own]
    assert figures["log_loss"] == pytest.approx(sum(losses) / len(own))
    assert figures["calibration_error"] == pytest.approx(calibration_error(happened, predicted))
    assert figures["bias"]["value"] == pytest.approx(sum(c - s for c, s in own) / len(own))
    assert sum(part["count"] for part in figures["bins"]) == len(own)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(
        st.tuples(
            st.sampled_from(["show", "show", "report", "report", "change", "withdraw", "match"]),
            st.integers(0, 5),  # which recommendation, or which earlier report
            st.integers(1, 5),  # rating, or chance
            st.integers(0, 2),  # version
        ),
        max_size=40,
    )
)
def test_it_is_what_going_through_everything_finds(recommend_to: Any, ask: Any, history: Any) -> None:
    with transaction.atomic():
        open_to = [recommend_to() for _ in range(6)]
        reports: list[Any] = []
        for place, (act, which, how, version) in enumerate(history):
            at = timezone.now() - timedelta(days=2 * (len(history) - place))
            if act == "show":
                show(open_to[which], how / 6, version=version, at=at)
            elif act == "report":
                reports.append(report(open_to[which], how, at=at))
            elif act == "match":
                match(LONG_AGO)
            elif reports and act == "withdraw":
                withdraw(actor=None, feedback=reports.pop(which % len(reports)))
            elif reports and (chosen := reports[which % len(reports)]).created_at > timezone.now() - timedelta(days=29):
                change(actor=None, feedback=chosen, changes={"rating": how})
        found, expected = ask(), rows()
        transaction.set_rollback(True)

    everything = [row for own in expected.values() for row in own]
    assert (found["overall"] is None) == (not everything)
    if everything:
        agree(found["overall"], everything)
    months = [(row["version"], row["month"]) for row in found["months"]]
    assert months == sorted(expected, key=lambda key: (key[1], key[0]), reverse=True)
    for row in found["months"]:
        agree(row["figures"], expected[row["version"], row["month"]])
    assert [row["version"] for row in found["versions"]] == sorted({key[0] for key in expected}, reverse=True)
    for row in found["versions"]:
        agree(row["figures"], [one for key, own in expected.items() if key[0] == row["version"] for one in own])


def test_a_change_counts_as_changed_and_a_withdrawal_not_at_all(recommend_to: Any, ask: Any) -> None:
    one, other = recommend_to(), recommend_to()
    show(one, 0.8), show(other, 0.7)
    first, second = report(one, 5), report(other, 5)
    assert ask()["overall"]["success_rate"] == 1

    change(actor=None, feedback=first, changes={"rating": 1})
    withdraw(actor=None, feedback=second)

    overall = ask()["overall"]
    assert (overall["outcomes"], overall["success_rate"]) == (1, 0)


def test_version_and_months_narrow_it(recommend_to: Any, ask: Any) -> None:
    for version, days in ((1, 200), (2, 2), (2, 0)):
        one = recommend_to()
        show(one, 0.8, version=version, at=timezone.now() - timedelta(days=days, minutes=1))
        report(one, 5, at=timezone.now() - timedelta(days=days))

    assert ask(months=24)["overall"]["outcomes"] == 3
    assert ask()["overall"]["outcomes"] == 2
    assert ask(months=24, version=1)["overall"]["outcomes"] == 1
    assert [row["version"] for row in ask(months=24)["versions"]] == [2, 1]
    assert ask(version=9) == {
        "since": ask()["since"], "overall": None, "versions": [], "months": [], "groups": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    "query", [{"months": 25}, {"months": 0}, {"version": -1}, {"version": "x"}, {"version": 2**31}]
)
def test_a_question_nobody_can_answer_is_refused(api: Any, sam: Any, query: Any) -> None:
    answer = api(sam).get(ACCURACY, query)

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == list(query)


def test_groups_are_those_of_when_it_was_shown(recommend_to: Any, ask: Any) -> None:
    women = [recommend_to(sex="female", mizaj_type="warm") for _ in range(6)]
    men = [recommend_to(sex="male", mizaj_type="cold") for _ in range(5)]
    nobody_knows = [recommend_to() for _ in range(5)]
    for number, one in enumerate([*women, *men, *nobody_knows]):
        show(one, 0.8)
        report(one, 1 if number % 2 else 5)
    patient = women[0].diagnosis.patient
    patient.sex = "male"
    patient.save(update_fields=["sex"])

    found = {breakdown["attribute"]: breakdown for breakdown in ask()["groups"]}

    counted = [(group["name"], group["figures"]["outcomes"]) for group in found["sex"]["groups"]]
    assert counted == [("female", 6), ("", 5), ("male", 5)]
    assert [group["name"] for group in found["age_band"]["groups"]] == [""]
    assert found["sex"]["held_back"] == 0 and "bins" not in found["sex"]["groups"][0]["figures"]


def test_a_gap_is_shown(recommend_to: Any, ask: Any) -> None:
    """Predictions promise women as much as men, who do worse."""
    for number in range(80):
        one = recommend_to(sex="female" if number % 2 else "male")
        show(one, 0.5 + number / 1000)
        report(one, 5 if number % 4 < (3 if number % 2 else 1) or number % 10 == 0 else 1)

    [sex] = [breakdown for breakdown in ask()["groups"] if breakdown["attribute"] == "sex"]

    [bias] = [gap for gap in sex["gaps"] if gap["measure"] == "bias"]
    rates = {group["name"]: group["figures"]["success_rate"] for group in sex["groups"]}
    assert bias["higher"] == min(rates, key=rates.__getitem__)
    assert bias["size"] == pytest.approx(abs(rates["female"] - rates["male"]), abs=0.01)


def test_few_people_are_held_back(recommend_to: Any, ask: Any) -> None:
    for number in range(12):
        one = recommend_to(sex="female" if number < 8 else "male")
        show(one, 0.8)
        report(one, 5)

    [sex] = [breakdown for breakdown in ask()["groups"] if breakdown["attribute"] == "sex"]

    # four men, and the women with them: all without the women would be the men
    assert (sex["groups"], sex["held_back"]) == ([], 12)


def test_it_asks_one_query_whatever_there_is(recommend_to: Any, django_assert_num_queries: Any) -> None:
    for number in range(8):
        one = recommend_to(sex=SEXES[number % 4], mizaj_type=MIZAJES[number % 3])
        show(one, 0.5, version=number % 3)
        report(one, 5)
    match(LONG_AGO)

    with django_assert_num_queries(1):
        assert accuracy.accuracy().overall.outcomes == 8  # type: ignore[union-attr]
    with django_assert_num_queries(0):
        accuracy.accuracy()
