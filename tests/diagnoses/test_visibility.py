"""Who sees which rows of the lists, and that a change of the care team takes effect with the next request."""

from __future__ import annotations

from typing import Any

import pytest

from diagnoses.actions import recommend, record_diagnosis
from feedback.actions import submit


@pytest.fixture
def two(
    alice: Any, bob: Any, charlie: Any, dora: Any, sam: Any, recommendation: Any, headache: Any, mint: Any
) -> dict[str, Any]:
    """Alice with Bob, Dora with Charlie, each with a diagnosis and a report."""
    dora.patient.care_team.add(charlie)
    hers = record_diagnosis(actor=charlie, patient=dora.patient, condition=headache, severity=2)
    submit(actor=alice, recommendation_id=recommendation.pk, rating=5, symptom_improvement=5)
    submit(
        actor=dora,
        recommendation_id=recommend(actor=charlie, diagnosis=hers, remedy=mint).pk,
        rating=1,
        symptom_improvement=1,
    )
    return {"alice": alice, "bob": bob, "charlie": charlie, "dora": dora, "sam": sam}


@pytest.mark.parametrize(("path", "field"), [
    ("/api/patients/", "id"), ("/api/diagnoses/", "patient"), ("/api/feedback/", "diagnosis"),
])  # fmt: skip
def test_a_list_holds_ones_own_ones_patients_or_all(
    api: Any, two: Any, patient: Any, dora: Any, path: str, field: str
) -> None:
    a, d = ({str(who.diagnoses.get().pk if field == "diagnosis" else who.pk)} for who in (patient, dora.patient))

    seen = {name: {row[field] for row in api(user).get(path).json()["results"]} for name, user in two.items()}

    assert seen == {"alice": a, "bob": a, "charlie": d, "dora": d, "sam": a | d}


def reach(client: Any, patient: Any, diagnosis: Any, recommendation: Any) -> set[int]:
    paths = [
        f"/api/patients/{patient.pk}/",
        f"/api/diagnoses/{diagnosis.pk}/",
        f"/api/diagnoses/{diagnosis.pk}/recommendations/",
        f"/api/diagnoses/{diagnosis.pk}/events/",
        f"/api/diagnoses/{diagnosis.pk}/snapshot",
        f"/api/recommendations/{recommendation.pk}/",
        f"/api/analytics/diagnoses/{diagnosis.pk}",
        f"/api/analytics/recommendations/{recommendation.pk}",
        f"/api/predictions/?diagnosis={diagnosis.pk}",
    ]
    return {client.get(path).status_code for path in paths}


def test_joining_and_leaving_the_care_team_takes_effect_at_once(
    api: Any, charlie: Any, patient: Any, diagnosis: Any, recommendation: Any
) -> None:
    client, everything = api(charlie), (patient, diagnosis, recommendation)

    assert reach(client, *everything) == {404}
    patient.care_team.add(charlie)
    assert reach(client, *everything) == {200}
    patient.care_team.remove(charlie)
    assert reach(client, *everything) == {404}


def test_who_left_the_care_team_changes_nothing_any_more(
    api: Any, bob: Any, patient: Any, diagnosis: Any, recommendation: Any, violet: Any
) -> None:
    client = api(bob)
    patient.care_team.remove(bob)

    answers = [
        client.patch(f"/api/patients/{patient.pk}/", {"sex": "male"}),
        client.patch(f"/api/diagnoses/{diagnosis.pk}/", {"severity": 5}),
        client.post(f"/api/diagnoses/{diagnosis.pk}/recommendations/", {"remedy": "sweet-violet"}),
        client.post(f"/api/recommendations/{recommendation.pk}/stop/"),
        client.post(f"/api/recommendations/{recommendation.pk}/replace/", {"remedy": "sweet-violet"}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    diagnosis.refresh_from_db()
    assert (diagnosis.severity, diagnosis.head) == (3, 2)


def test_a_new_role_takes_effect_at_once(api: Any, bob: Any, patient: Any, diagnosis: Any, recommendation: Any) -> None:
    client = api(bob)
    bob.role = "patient"
    bob.save()

    assert reach(client, patient, diagnosis, recommendation) == {404}


def test_a_row_is_listed_once_however_many_care_for_the_patient(
    api: Any, bob: Any, charlie: Any, patient: Any, diagnosis: Any
) -> None:
    patient.care_team.add(charlie)

    for path in ("/api/patients/", "/api/diagnoses/"):
        assert [api(user).get(path).json()["count"] for user in (bob, charlie)] == [1, 1]


def test_a_practitioner_sees_their_own_record(api: Any, charlie: Any, patient: Any) -> None:
    patient.user = charlie
    patient.save()

    assert api(charlie).get(f"/api/patients/{patient.pk}/").status_code == 200
