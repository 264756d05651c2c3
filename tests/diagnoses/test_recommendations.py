from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from diagnoses.actions import recommend
from diagnoses.models import Diagnosis, Recommendation, Remedy
from tests.accounts.racing import race

GIVEN = {"remedy": "mint", "dosage": "۲ گرم", "frequency": "twice a day", "duration_days": 14, "instructions": "با عسل"}


def told(diagnosis: Diagnosis) -> list[str]:
    return [event.payload["action"] for event in diagnosis.events.filter(type="recommendation_update").order_by("seq")]


@pytest.fixture
def path(diagnosis: Any) -> str:
    return f"/api/diagnoses/{diagnosis.pk}/recommendations/"


@pytest.fixture
def root(recommendation: Any) -> str:
    return f"/api/recommendations/{recommendation.pk}/"


def test_a_remedy_is_recommended_and_told(api: Any, bob: Any, path: str, diagnosis: Any, mint: Any) -> None:
    answer = api(bob).post(path, GIVEN)

    assert answer.status_code == 201
    assert answer.json().items() >= (GIVEN | {"status": "active", "kind": "herbal", "replaces": None}).items()
    event = diagnosis.events.get(seq=2)
    assert (event.type, event.payload["action"]) == ("recommendation_update", "added")
    assert event.payload["recommendation"].items() >= (GIVEN | {"id": answer.json()["id"]}).items()


def test_the_list_is_the_diagnosis_in_the_order_given(
    api: Any, alice: Any, bob: Any, path: str, mint: Any, violet: Any
) -> None:
    for remedy in ("sweet-violet", "mint"):
        api(bob).post(path, {"remedy": remedy})

    assert [row["remedy"] for row in api(alice).get(path).json()] == ["sweet-violet", "mint"]


def test_what_is_worked_out_cannot_be_sent(api: Any, bob: Any, path: str, recommendation: Any, violet: Any) -> None:
    sent = {"effectiveness_score": 1, "confidence": 1, "status": "stopped", "replaces": str(recommendation.pk)}

    answer = api(bob).post(path, {"remedy": "sweet-violet"} | sent)

    stored = {"effectiveness_score": None, "confidence": None, "status": "active", "replaces": None}
    assert answer.json().items() >= stored.items()


def test_a_remedy_is_active_once_in_a_diagnosis(api: Any, bob: Any, path: str, recommendation: Any) -> None:
    answer = api(bob).post(path, GIVEN)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_recommended")
    assert Recommendation.objects.count() == 1


def test_it_can_be_given_again_after_it_was_stopped(api: Any, bob: Any, path: str, root: str) -> None:
    api(bob).post(f"{root}stop/")

    assert api(bob).post(path, GIVEN).status_code == 201


def test_a_retired_remedy_is_neither_given_nor_put_in_place(
    api: Any, bob: Any, path: str, root: str, violet: Any
) -> None:
    Remedy.objects.filter(pk=violet.pk).update(is_active=False)

    answers = [api(bob).post(where, {"remedy": "sweet-violet"}) for where in (path, f"{root}replace/")]

    assert [(answer.status_code, list(answer.json()["error"]["fields"])) for answer in answers] == [
        (400, ["remedy"])
    ] * 2
    assert Recommendation.objects.get().is_active


def test_a_key_sent_twice_recommends_once(api: Any, bob: Any, path: str, diagnosis: Any, mint: Any) -> None:
    answers = [api(bob).post(path, GIVEN, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert told(diagnosis) == ["added"]


@pytest.mark.parametrize("change", [
    {"dosage": "3 g"}, {"frequency": "", "instructions": "before sleep"}, {"duration_days": 730},
    {"duration_days": None},
])  # fmt: skip
def test_a_change_tells_what_was_and_what_is(
    api: Any, bob: Any, path: str, mint: Any, diagnosis: Any, change: Any
) -> None:
    pk = api(bob).post(path, GIVEN).json()["id"]

    answer = api(bob).patch(f"/api/recommendations/{pk}/", change)

    assert answer.status_code == 200 and answer.json().items() >= change.items()
    payload = diagnosis.events.get(seq=3).payload
    assert (payload["action"], payload["changed_fields"]) == ("changed", list(change))
    assert payload["recommendation"].items() >= change.items()
    assert payload["previous"].items() >= {name: GIVEN[name] for name in change}.items()


def test_what_is_as_it_was_is_not_told(api: Any, bob: Any, root: str, diagnosis: Any) -> None:
    for same in ({}, {"dosage": "", "duration_days": None}):
        assert api(bob).patch(root, same).status_code == 200

    assert told(diagnosis) == ["added"]


@pytest.mark.parametrize("other", [
    {"status": "stopped"}, {"remedy": "sweet-violet"}, {"diagnosis": "another"}, {"replaces": "another"},
    {"effectiveness_score": 1}, {"confidence": 1.0}, {"created_at": ""}, {"id": {}, "status": None},
])  # fmt: skip
def test_what_is_not_changed_but_done_is_refused(api: Any, bob: Any, root: str, diagnosis: Any, other: Any) -> None:
    before = api(bob).get(root).json()

    answer = api(bob).patch(root, other | {"dosage": "3 g"})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["fields"].keys()) == (400, "invalid", other.keys())
    assert (api(bob).get(root).json(), told(diagnosis)) == (before, ["added"])


def test_of_two_who_change_the_same_the_second_is_told_what_is_there(api: Any, bob: Any, recommendation: Any) -> None:
    client, path = api(bob), f"/api/recommendations/{recommendation.pk}/"
    seen = {name: client.get(path).json()[name] for name in ("dosage", "frequency")}

    first = client.patch(path, {"dosage": "5 g", "seen": seen})
    second = client.patch(path, {"dosage": "9 g", "seen": seen})
    again = client.patch(path, {"dosage": "9 g", "seen": seen | {"dosage": "5 g"}})

    assert [answer.status_code for answer in (first, second, again)] == [200, 409, 200]
    error = second.json()["error"]
    assert (error["code"], error["current"]) == ("changed_meanwhile", first.json())


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_time_one_wins(api: Any, bob: Any, recommendation: Any) -> None:
    path, seen = f"/api/recommendations/{recommendation.pk}/", {"dosage": recommendation.dosage}
    clients = [api(bob), api(bob)]

    answers = race(*(lambda n=n: clients[n].patch(path, {"dosage": f"{n} g", "seen": seen}) for n in (0, 1)))

    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_the_whole_recommendation_may_come_back_with_a_change(
    api: Any, alice: Any, bob: Any, root: str, report: Any
) -> None:
    api(alice).post("/api/feedback/", report)
    read = api(bob).get(root).json()

    answer = api(bob).patch(root, read | {"dosage": "3 g"})

    assert read["effectiveness_score"] and (answer.status_code, answer.json()["dosage"]) == (200, "3 g")


def test_a_course_is_completed_and_told(api: Any, alice: Any, bob: Any, root: str, diagnosis: Any) -> None:
    answer = api(bob).post(f"{root}complete/")

    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    payload = diagnosis.events.get(seq=3).payload
    assert (payload["action"], payload["changed_fields"]) == ("completed", ["status"])
    assert payload["recommendation"]["status"] == "completed"
    ranked = api(alice).get("/api/predictions/", {"diagnosis": str(diagnosis.pk)}).json()
    assert ranked["predictions"] == []


def test_a_completed_course_can_still_be_reported_on_and_given_again(
    api: Any, alice: Any, bob: Any, root: str, path: str, report: Any
) -> None:
    api(bob).post(f"{root}complete/")

    assert api(alice).post("/api/feedback/", report).status_code == 201
    assert api(bob).post(path, GIVEN).status_code == 201


def test_stopping_says_why(api: Any, bob: Any, root: str, diagnosis: Any) -> None:
    answer = api(bob).post(f"{root}stop/", {"reason": "تهوع"})

    assert (answer.status_code, answer.json()["status"]) == (200, "stopped")
    payload = diagnosis.events.get(seq=3).payload
    assert (payload["action"], payload["reason"], payload["recommendation"]["status"]) == ("stopped", "تهوع", "stopped")


def test_replacing_ends_one_and_begins_another_in_one_event(
    api: Any, bob: Any, root: str, recommendation: Any, diagnosis: Any, violet: Any
) -> None:
    answer = api(bob).post(f"{root}replace/", {"remedy": "sweet-violet", "dosage": "1 g", "reason": "milder"})

    assert answer.status_code == 201
    assert answer.json().items() >= {"replaces": str(recommendation.pk), "status": "active", "dosage": "1 g"}.items()
    recommendation.refresh_from_db()
    payload = diagnosis.events.get(seq=3).payload
    assert (recommendation.status, told(diagnosis), payload["reason"]) == ("replaced", ["added", "replaced"], "milder")
    assert (payload["previous"]["remedy"], payload["previous"]["status"]) == ("mint", "replaced")
    assert payload["recommendation"]["remedy"] == "sweet-violet"


def test_a_key_sent_twice_replaces_once(api: Any, bob: Any, root: str, diagnosis: Any, violet: Any) -> None:
    answers = [
        api(bob).post(f"{root}replace/", {"remedy": "sweet-violet"}, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    assert told(diagnosis) == ["added", "replaced"]


def test_replacing_by_what_is_already_given_changes_nothing(
    api: Any, bob: Any, root: str, path: str, recommendation: Any, violet: Any, diagnosis: Any
) -> None:
    api(bob).post(path, {"remedy": "sweet-violet"})

    answer = api(bob).post(f"{root}replace/", {"remedy": "sweet-violet"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "already_recommended")
    recommendation.refresh_from_db()
    assert (recommendation.status, told(diagnosis)) == ("active", ["added", "added"])


def test_a_remedy_may_replace_itself_in_another_dose(api: Any, bob: Any, root: str) -> None:
    assert api(bob).post(f"{root}replace/", {"remedy": "mint", "dosage": "5 g"}).status_code == 201


@pytest.mark.parametrize(("how", "ended"), [("stop", "stopped"), ("complete", "completed")])
def test_what_has_ended_stays_ended(
    api: Any, bob: Any, root: str, violet: Any, diagnosis: Any, how: str, ended: str
) -> None:
    client = api(bob)
    client.post(f"{root}{how}/")

    answers = [
        client.post(f"{root}stop/"),
        client.post(f"{root}complete/"),
        client.patch(root, {"dosage": "1 g"}),
        client.post(f"{root}replace/", {"remedy": "sweet-violet"}),
    ]

    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [(409, "already_ended")] * 4
    assert told(diagnosis) == ["added", ended]


@pytest.mark.parametrize(("change", "field"), [
    ({"dosage": "x" * 201}, "dosage"), ({"instructions": "x" * 1001}, "instructions"),
    ({"frequency": None}, "frequency"),
])  # fmt: skip
def test_what_does_not_fit_is_named(api: Any, bob: Any, root: str, change: Any, field: str) -> None:
    answer = api(bob).patch(root, change)

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])


def test_a_list_asks_the_database_as_often_for_many(api: Any, bob: Any, path: str, diagnosis: Any) -> None:
    client, asked = api(bob), []
    for slugs in (range(2), range(2, 12)):
        for slug in slugs:
            remedy = Remedy.objects.create(slug=f"r{slug}", name_en="R", name_fa="ر", kind="herbal")
            recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
        with CaptureQueriesContext(connection) as queries:
            assert len(client.get(path).json()) in (2, 12)
        asked.append(len(queries))

    assert asked == [4, 3]  # session, diagnosis, rows; the first time the audit record


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["/api/patients/", "/api/diagnoses/", "recommend", "replace"])
def test_two_that_race_with_one_key_get_one_answer(
    api: Any, bob: Any, path: str, root: str, patient: Any, violet: Any, where: str
) -> None:
    body: Any = {"full_name": "New", "patient": str(patient.pk), "condition": "headache", "severity": 3}
    if where in ("recommend", "replace"):
        where, body = {"recommend": path, "replace": f"{root}replace/"}[where], {"remedy": "sweet-violet"}
    clients, start = [api(bob), api(bob)], Barrier(2)

    def race(client: Any) -> Any:
        start.wait()
        try:
            return client.post(where, body, headers={"Idempotency-Key": "k"})
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(race, clients))

    assert sorted(answer.status_code for answer in answers) == [200, 201], [answer.json() for answer in answers]
    assert answers[0].json()["id"] == answers[1].json()["id"]
