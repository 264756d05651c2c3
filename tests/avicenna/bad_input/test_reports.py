"""What a report on a remedy may say."""

from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import recommend, record_diagnosis
from feedback.models import Feedback
from tests.avicenna.bad_input.refusal import BAD_REQUEST, HUGE, NOT_ONE_TO_FIVE, UNKNOWN, Send, fields_refused, refused


@pytest.fixture
def submit(api: Any, alice: Any, report: Any, nausea: Any) -> Send:
    """Sends Alice's report, changed as said, which must be refused; answers what is said of which fields."""
    client = api(alice)

    def send(**changes: Any) -> dict[str, list[str]]:
        error = refused(lambda: client.post("/api/feedback/", report | changes), 400)
        assert error["code"] == "invalid"
        fields: dict[str, list[str]] = error["fields"]
        return fields

    return send


@pytest.mark.parametrize("value", NOT_ONE_TO_FIVE, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("field", ["rating", "symptom_improvement"])
def test_a_mark_is_a_whole_number_from_one_to_five(submit: Send, field: str, value: Any) -> None:
    assert list(submit(**{field: value})) == [field]


@pytest.mark.parametrize("value", [value for value in NOT_ONE_TO_FIVE if value is not None], ids=lambda v: repr(v)[:12])
def test_compliance_is_too_or_is_left_out(submit: Send, value: Any) -> None:
    assert list(submit(compliance=value)) == ["compliance"]


@pytest.mark.parametrize("value", NOT_ONE_TO_FIVE, ids=lambda value: repr(value)[:12])
def test_a_change_is_held_to_the_same(api: Any, alice: Any, report: Any, value: Any) -> None:
    client = api(alice)
    pk = client.post("/api/feedback/", report).json()["id"]

    assert fields_refused(lambda: client.patch(f"/api/feedback/{pk}/", {"rating": value})) == ["rating"]
    assert Feedback.objects.get().rating == 4


@pytest.mark.parametrize("five", ["5", "۵", "٥", 5.0, "5.0", " ۵ "])
def test_five_in_any_digits_is_five(api: Any, alice: Any, report: Any, five: Any) -> None:
    answer = api(alice).post("/api/feedback/", report | {"rating": five})

    assert (answer.status_code, answer.json()["rating"]) == (201, 5)


@pytest.mark.parametrize("letter", ["a", "ب", "🌿", "e\u0301"[1]])
def test_a_comment_has_500_characters_at_most(api: Any, alice: Any, report: Any, letter: str) -> None:
    client = api(alice)
    long = report | {"comment": "x" + letter * 500}

    assert fields_refused(lambda: client.post("/api/feedback/", long)) == ["comment"]
    assert client.post("/api/feedback/", report | {"comment": "x" + letter * 499}).status_code == 201


@pytest.mark.parametrize("comment", [None, [], {}, True], ids=repr)
def test_a_comment_is_text(submit: Send, comment: Any) -> None:
    assert list(submit(comment=comment)) == ["comment"]


@pytest.mark.parametrize("value", ["not-a-uuid", "", None, 5, -1, HUGE, 4.5, True, [], {}, "a" * 5000, "../../etc"],
                         ids=lambda value: repr(value)[:12])  # fmt: skip
def test_a_recommendation_is_named_by_its_id(submit: Send, value: Any) -> None:
    assert list(submit(recommendation=value)) == ["recommendation"]


@pytest.mark.parametrize("field", ["client_id", "diagnosis"])
@pytest.mark.parametrize("value", ["not-a-uuid", None, -1, HUGE, 4.5, [], {}], ids=lambda value: repr(value)[:12])
def test_other_ids_are_ids_too(submit: Send, field: str, value: Any) -> None:
    assert list(submit(**{field: value})) == [field]


def test_an_unknown_recommendation_and_somebody_elses_look_the_same(
    submit: Send, bob: Any, dora: Any, headache: Any, mint: Any
) -> None:
    dora.patient.care_team.add(bob)
    theirs = recommend(
        actor=bob,
        diagnosis=record_diagnosis(actor=bob, patient=dora.patient, condition=headache, severity=1),
        remedy=mint,
    )

    told = [submit(recommendation=str(pk))["recommendation"] for pk in (UNKNOWN, theirs.pk)]

    assert told[0][0].replace(UNKNOWN, "") == told[1][0].replace(str(theirs.pk), "")


def test_the_recommendation_belongs_to_the_diagnosis_named(
    submit: Send, bob: Any, patient: Any, headache: Any, diagnosis: Any
) -> None:
    other = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=1)

    assert list(submit(diagnosis=str(other.pk))) == ["diagnosis"]


@pytest.mark.parametrize(
    "effects",
    [
        [{"effect": "unheard-of", "severity": 2}],
        [{"effect": "nausea", "severity": 2}, {"effect": "nausea", "severity": 3}],
        [{"effect": "nausea", "severity": 9}],
        [{"effect": "nausea", "severity": 0}],
        [{"effect": "nausea"}],
        [{"severity": 2}],
        [{}],
        ["nausea"],
        [None],
        [[]],
        {"nausea": 2},
        "nausea",
        None,
        5,
        [{"effect": None, "severity": 2}],
        [{"effect": [], "severity": 2}],
        [{"effect": {}, "severity": 2}],
        [{"effect": "nau\x00sea", "severity": 2}],
        [{"effect": "nausea", "severity": 2}] * 41,
    ],
    ids=lambda effects: repr(effects)[:50],
)
def test_side_effects_are_known_each_once_and_graded(
    api: Any, alice: Any, report: Any, nausea: Any, effects: Any
) -> None:
    client, said = api(alice), {"side_effects": effects}

    assert refused(lambda: client.post("/api/feedback/", report | said), 400)["code"] in BAD_REQUEST
    pk = client.post("/api/feedback/", report).json()["id"]
    assert refused(lambda: client.patch(f"/api/feedback/{pk}/", said), 400)["code"] in BAD_REQUEST


def test_a_retired_side_effect_is_refused(submit: Send, nausea: Any) -> None:
    nausea.is_active = False
    nausea.save()

    assert list(submit(side_effects=[{"effect": "nausea", "severity": 2}])) == ["side_effects"]
