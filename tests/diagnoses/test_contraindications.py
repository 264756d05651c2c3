"""A remedy that must not be given to a patient: stated, lifted, and in nobody's way but the prescriber's."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from diagnoses.actions import (
    change_diagnosis,
    contraindicate,
    lift_contraindication,
    recommend,
    stop_recommendation,
)
from diagnoses.models import Contraindication, Diagnosis, Remedy
from feedback.actions import submit

STATED = {"remedy": "mint", "cause": "allergy", "reason": "کهیر پس از دو روز"}


def told(diagnosis: Diagnosis) -> list[list[str]]:
    updates = diagnosis.events.filter(type="diagnosis_update").order_by("seq")
    return [event.payload["changed_fields"] for event in updates if event.payload["action"] == "changed"]


@pytest.fixture
def path(patient: Any) -> str:
    return f"/api/patients/{patient.pk}/contraindications/"


@pytest.fixture
def standing(patient: Any, bob: Any, mint: Any) -> Contraindication:
    return contraindicate(
        actor=bob, patient=patient, remedy=mint, cause=Contraindication.Cause.ALLERGY, reason="secret"
    )


@pytest.fixture
def lift(path: str, standing: Any) -> str:
    return f"{path}{standing.pk}/lift/"


def test_it_is_stated_and_read_by_the_patient(api: Any, alice: Any, bob: Any, path: str, mint: Any) -> None:
    answer = api(bob).post(path, STATED)

    assert answer.status_code == 201
    (row,) = api(alice).get(path).json()["results"]
    assert row.items() >= (STATED | {"cause_name": "allergy", "stated_by": "Dr Bob", "lifted_at": None}).items()
    assert answer.json() == row | {"active_recommendations": []}


def test_the_reason_is_sealed(standing: Contraindication) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM diagnoses_contraindication")
        assert b"secret" not in bytes(cursor.fetchone()[0])
    assert Contraindication.objects.get().reason == "secret"


def test_what_is_given_already_is_named_and_goes_on(
    api: Any, bob: Any, path: str, recommendation: Any, diagnosis: Any, other_diagnosis: Any
) -> None:
    answer = api(bob).post(path, STATED)

    (named,) = answer.json()["active_recommendations"]
    assert (named["id"], named["diagnosis"], named["status"]) == (str(recommendation.pk), str(diagnosis.pk), "active")
    recommendation.refresh_from_db()
    assert recommendation.is_active
    assert (told(diagnosis), told(other_diagnosis)) == ([["contraindications"]], [])


@pytest.mark.parametrize("how", ["stopped", "closed with its diagnosis"])
def test_what_has_ended_or_is_given_to_somebody_else_is_not_named(
    api: Any, bob: Any, dora: Any, headache: Any, path: str, recommendation: Any, mint: Any, how: str
) -> None:
    if how == "stopped":
        stop_recommendation(actor=bob, recommendation=recommendation)
    else:
        change_diagnosis(actor=bob, diagnosis=recommendation.diagnosis, changes={"status": "resolved"})
    hers = Diagnosis.objects.create(patient=dora.patient, condition=headache, severity=2)
    recommend(actor=None, diagnosis=hers, remedy=mint)

    assert api(bob).post(path, STATED).json()["active_recommendations"] == []


def test_nobody_recommends_it_and_nothing_is_replaced_by_it(
    api: Any, bob: Any, diagnosis: Any, violet: Any, standing: Any
) -> None:
    given = recommend(actor=bob, diagnosis=diagnosis, remedy=violet)
    addresses = [f"/api/diagnoses/{diagnosis.pk}/recommendations/", f"/api/recommendations/{given.pk}/replace/"]

    answers = [api(bob).post(address, {"remedy": "mint"}) for address in addresses]

    said = "Mint must not be given to this patient (allergy)."
    error = {"code": "contraindicated", "message": said, "fields": {"remedy": [said]}}
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(409, error)] * 2
    given.refresh_from_db()
    assert given.is_active and diagnosis.recommendations.count() == 1


def test_a_persian_prescriber_is_told_in_persian(api: Any, bob: Any, diagnosis: Any, standing: Any) -> None:
    client = api(bob, accept_language="fa")

    answer = client.post(f"/api/diagnoses/{diagnosis.pk}/recommendations/", {"remedy": "mint"})

    assert answer.json()["error"]["message"] == "نعناع نباید به این بیمار داده شود (آلرژی)."


def test_it_may_be_replaced_by_another(
    api: Any, bob: Any, recommendation: Any, violet: Any, standing: Any, diagnosis: Any
) -> None:
    answer = api(bob).post(f"/api/recommendations/{recommendation.pk}/replace/", {"remedy": "sweet-violet"})

    assert answer.status_code == 201
    assert not standing.active_recommendations().exists()


def test_other_patients_are_given_it_as_before(dora: Any, headache: Any, mint: Any, standing: Any) -> None:
    hers = Diagnosis.objects.create(patient=dora.patient, condition=headache, severity=2)

    assert recommend(actor=None, diagnosis=hers, remedy=mint).is_active


def test_it_is_predicted_again_when_it_is_lifted(
    api: Any, alice: Any, bob: Any, recommendation: Any, diagnosis: Any, violet: Any, path: str
) -> None:
    recommend(actor=bob, diagnosis=diagnosis, remedy=violet)

    def predicted() -> set[str]:
        found = api(alice).get("/api/predictions/", {"diagnosis": str(diagnosis.pk)}).json()
        return {row["remedy"] for row in found["predictions"]}

    before = predicted()
    pk = api(bob).post(path, STATED).json()["id"]
    meanwhile = predicted()
    api(bob).post(f"{path}{pk}/lift/")

    assert (before, meanwhile, predicted()) == ({"mint", "sweet-violet"}, {"sweet-violet"}, {"mint", "sweet-violet"})
    assert told(diagnosis) == [["contraindications"]] * 2


def test_lifting_is_kept_and_opens_the_way(
    api: Any, alice: Any, bob: Any, path: str, lift: str, diagnosis: Any, standing: Any
) -> None:
    answer = api(bob).post(lift)

    assert (answer.status_code, answer.json()["lifted_by"]) == (200, "Dr Bob")
    assert api(bob).post(f"/api/diagnoses/{diagnosis.pk}/recommendations/", {"remedy": "mint"}).status_code == 201
    assert [row["id"] for row in api(alice).get(path).json()["results"]] == [str(standing.pk)]


def test_it_is_lifted_once(api: Any, bob: Any, path: str, lift: str) -> None:
    first, second = api(bob).post(lift), api(bob).post(lift)

    assert (second.status_code, second.json()["error"]["code"]) == (409, "already_lifted")
    assert api(bob).get(path).json()["results"] == [first.json()]


def test_it_stands_once_and_again_after_it_was_lifted(api: Any, bob: Any, path: str, lift: str) -> None:
    refused = api(bob).post(path, STATED)
    api(bob).post(lift)
    again = api(bob).post(path, STATED | {"cause": "other"})

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "already_contraindicated")
    assert (again.status_code, Contraindication.objects.standing().count()) == (201, 1)
    assert Contraindication.objects.count() == 2


def test_those_that_stand_can_be_asked_for(api: Any, alice: Any, bob: Any, path: str, lift: str, violet: Any) -> None:
    api(bob).post(lift)
    api(bob).post(path, {"remedy": "sweet-violet", "cause": "pregnancy"})

    found = {
        query: [row["remedy"] for row in api(alice).get(f"{path}{query}").json()["results"]]
        for query in ("", "?standing=true", "?standing=false")
    }

    assert found == {"": ["sweet-violet", "mint"], "?standing=true": ["sweet-violet"], "?standing=false": ["mint"]}


def test_a_retired_remedy_may_be_named(api: Any, bob: Any, path: str, mint: Any) -> None:
    Remedy.objects.filter(pk=mint.pk).update(is_active=False)

    assert api(bob).post(path, STATED).status_code == 201


def test_a_key_sent_twice_states_once(api: Any, bob: Any, path: str, recommendation: Any, diagnosis: Any) -> None:
    answers = [api(bob).post(path, STATED, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert told(diagnosis) == [["contraindications"]]


def test_who_decides_nothing_about_the_patient_neither_states_nor_lifts(
    api: Any, alice: Any, charlie: Any, dora: Any, sam: Any, path: str, lift: str, violet: Any
) -> None:
    body = {"remedy": "sweet-violet", "cause": "other"}

    answers = [
        (api(user).post(path, body).status_code, api(user).post(lift).status_code)
        for user in (alice, charlie, dora, sam)
    ]

    assert answers == [(403, 403), (404, 404), (403, 403), (403, 403)]
    assert [row.is_standing for row in Contraindication.objects.all()] == [True]


def test_nobody_reads_a_strangers(api: Any, charlie: Any, dora: Any, sam: Any, path: str, standing: Any) -> None:
    assert [api(user).get(path).status_code for user in (charlie, dora, sam)] == [404, 404, 200]


def test_one_of_another_patient_is_not_lifted_here(api: Any, bob: Any, dora: Any, standing: Any) -> None:
    dora.patient.care_team.add(bob)

    answer = api(bob).post(f"/api/patients/{dora.patient.pk}/contraindications/{standing.pk}/lift/")

    assert answer.status_code == 404


@pytest.mark.parametrize(("wrong", "field"), [
    ({"cause": "whim"}, "cause"), ({"cause": ""}, "cause"), ({"cause": None}, "cause"), ({"remedy": "none"}, "remedy"),
    ({"remedy": None}, "remedy"), ({"reason": "x" * 501}, "reason"), ({"reason": None}, "reason"),
])  # fmt: skip
def test_what_does_not_fit_is_named(api: Any, bob: Any, path: str, mint: Any, wrong: Any, field: str) -> None:
    answer = api(bob).post(path, STATED | wrong)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert not Contraindication.objects.exists()


def test_what_is_worked_out_cannot_be_sent(api: Any, bob: Any, charlie: Any, path: str, mint: Any) -> None:
    sent = {"lifted_at": "2020-01-01T00:00Z", "stated_at": "2020-01-01T00:00Z", "stated_by": charlie.pk}

    answer = api(bob).post(path, STATED | sent).json()

    assert (answer["lifted_at"], answer["stated_by"], answer["stated_at"][:4] > "2020") == (None, "Dr Bob", True)


def test_a_list_asks_the_database_as_often_for_many(api: Any, bob: Any, patient: Any, path: str) -> None:
    client, asked = api(bob), []
    for slugs in (range(2), range(2, 12)):
        for slug in slugs:
            remedy = Remedy.objects.create(slug=f"r{slug}", name_en="R", name_fa="ر", kind="herbal")
            row = contraindicate(actor=bob, patient=patient, remedy=remedy, cause=Contraindication.Cause.OTHER)
            lift_contraindication(actor=bob, contraindication=row)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).json()["count"] in (2, 12)
        asked.append(len(queries))

    assert asked == [4, 3]  # session, patient, rows; the first time the audit record


def test_staff_reads_it_in_the_admin_without_the_reason(
    client: Any, sam: Any, bob: Any, charlie: Any, patient: Any, violet: Any, standing: Any
) -> None:
    client.force_login(sam)
    page = f"/admin/diagnoses/patient/{patient.pk}/change/"
    client.get(page)  # the first visit also signs in

    asked = []
    for remedy in (None, violet):
        if remedy:
            contraindicate(actor=bob, patient=patient, remedy=remedy, cause=Contraindication.Cause.OTHER)
        with CaptureQueriesContext(connection) as queries:
            shown = client.get(page).content.decode()
        asked.append(len(queries))
    form = {"care_team": [charlie.pk], "contraindications-TOTAL_FORMS": 2, "contraindications-INITIAL_FORMS": 2}
    saved = client.post(page, form)

    assert "Mint" in shown and "Sweet violet" in shown and "secret" not in shown
    assert asked[0] == asked[1]
    assert (saved.status_code, list(patient.care_team.all())) == (302, [charlie])
    assert Contraindication.objects.standing().count() == 2


def apart(work: Callable[[], Any]) -> Any:
    """For a thread: with a connection of its own, closed in the end."""
    try:
        return work()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_two_who_state_it_at_once_state_it_once(api: Any, bob: Any, path: str, mint: Any) -> None:
    clients, start = [api(bob), api(bob)], Barrier(2)

    def state(client: Any) -> int:
        start.wait()
        return apart(lambda: int(client.post(path, STATED).status_code))

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(state, clients)) == [201, 409]
    assert Contraindication.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["recommend", "replace"])
def test_who_gives_it_while_it_is_being_stated_waits_and_is_refused(
    api: Any, bob: Any, patient: Any, diagnosis: Any, mint: Any, violet: Any, how: str
) -> None:
    given, client = recommend(actor=bob, diagnosis=diagnosis, remedy=violet), api(bob)
    address = f"diagnoses/{diagnosis.pk}/recommendations" if how == "recommend" else f"recommendations/{given.pk}/{how}"

    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        contraindicate(actor=bob, patient=patient, remedy=mint, cause=Contraindication.Cause.ALLERGY)
        answer = thread.submit(apart, lambda: client.post(f"/api/{address}/", {"remedy": "mint"}))
        wait([answer], timeout=0.5)

    assert (answer.result().status_code, answer.result().json()["error"]["code"]) == (409, "contraindicated")


@pytest.mark.django_db(transaction=True)
def test_who_states_it_while_it_is_being_given_waits_and_is_told(
    api: Any, bob: Any, path: str, diagnosis: Any, mint: Any
) -> None:
    client = api(bob)

    with ThreadPoolExecutor(1) as thread, transaction.atomic():
        given = recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
        answer = thread.submit(apart, lambda: client.post(path, STATED))
        wait([answer], timeout=0.5)

    assert [row["id"] for row in answer.result().json()["active_recommendations"]] == [str(given.pk)]


@pytest.mark.django_db(transaction=True)
def test_it_never_meets_a_report_in_a_circle(bob: Any, patient: Any, recommendation: Any, mint: Any) -> None:
    """A report holds the diagnosis and refers to the patient; this holds the patient and tells the diagnosis."""

    def report() -> None:
        for _ in range(25):
            submit(actor=None, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4)

    def state_and_lift() -> None:
        for _ in range(25):
            row = contraindicate(actor=bob, patient=patient, remedy=mint, cause=Contraindication.Cause.OTHER)
            lift_contraindication(actor=bob, contraindication=row)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(apart, [report, state_and_lift]))

    assert len(told(recommendation.diagnosis)) == 50
