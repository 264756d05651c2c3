"""What a patient consents to, and what follows from it at once."""

from __future__ import annotations

import random
import threading
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from analytics.models import EffectivenessRollup, SubjectPatient
from diagnoses.actions import recommend
from diagnoses.models import Consent, Diagnosis, Patient, Recommendation, Remedy
from feedback.models import Feedback
from predictions.history import training_reports

ADDRESS = "/api/me/consents"


def no_figure_differs() -> bool:
    said = StringIO()
    call_command("rebuild_analytics", "--check", stdout=said)
    return "No difference" in said.getvalue()


def counted() -> int:
    return sum(EffectivenessRollup.objects.filter(kind=5).values_list("n", flat=True))


@pytest.fixture
def reported(api: Any, alice: User, report: Any) -> Any:
    """Alice's client, with one report."""
    client = api(alice)
    assert client.post("/api/feedback/", report).status_code == 201
    return client


def test_nobody_is_taken_to_have_answered_what_was_not_asked(api: Any, alice: User, patient: Patient) -> None:
    asked = api(alice, accept_language="fa").get(ADDRESS).json()

    assert [(one["purpose"], one["is_given"]) for one in asked] == [
        ("treatment", None), ("statistics", None), ("training", None),
    ]  # fmt: skip
    assert all("\u0600" <= one["text"][0] <= "\u06ff" for one in asked)


def test_who_registers_can_read_what_is_asked(api: Any, db: None) -> None:
    asked = api(accept_language="en").get("/api/consents").json()

    assert [one["purpose"] for one in asked] == ["treatment", "statistics", "training"]
    assert "your reports leave the figures at once" in asked[1]["text"]


def test_every_answer_is_kept(api: Any, alice: User, patient: Patient) -> None:
    client = api(alice)
    for answer in (True, False, False, True):
        assert client.put(ADDRESS, {"training": answer}).status_code == 200

    assert list(Consent.objects.values_list("purpose", "is_given")) == [
        ("training", True), ("training", False), ("training", True),
    ]  # fmt: skip
    assert Consent.objects.latest("pk").text_version
    assert {one["purpose"]: one["is_given"] for one in client.get(ADDRESS).json()} == {
        "treatment": None, "statistics": None, "training": True,
    }  # fmt: skip


def test_a_registration_may_answer(api: Any, db: None) -> None:
    given = {"email": "n@n.example", "password": "saffron-and-rose", "full_name": "New", "language": "en"}
    answer = api().post("/api/auth/register", given | {"consents": {"treatment": True, "statistics": False}})

    assert answer.status_code == 201, answer.json()
    patient = Patient.objects.get()
    assert (patient.is_treated, patient.is_counted, patient.trains_models) == (True, False, True)
    assert set(Consent.objects.values_list("purpose", "is_given")) == {("treatment", True), ("statistics", False)}


def test_reports_leave_the_figures_at_once_and_come_back(reported: Any, report: Any, recommendation: Any) -> None:
    before = list(EffectivenessRollup.objects.order_by("kind").values_list("kind", "n", "successes"))
    recommendation.refresh_from_db()
    score = recommendation.effectiveness_score

    assert reported.put(ADDRESS, {"statistics": False}).status_code == 200
    assert counted() == 0
    assert not SubjectPatient.objects.exists()
    assert no_figure_differs()
    recommendation.refresh_from_db()
    assert recommendation.effectiveness_score != score

    reported.post("/api/feedback/", report | {"client_id": str(uuid4())})  # treatment goes on
    assert counted() == 0

    assert reported.put(ADDRESS, {"statistics": True}).status_code == 200
    assert counted() == 2
    assert no_figure_differs()
    assert len(EffectivenessRollup.objects.all()) == len(before)


def test_a_severe_side_effect_is_looked_at_also_without_treatment(
    api: Any, alice: User, bob: User, report: Any, nausea: Any
) -> None:
    client = api(alice)
    severe = report | {"side_effects": [{"effect": "nausea", "severity": 5}]}
    assert client.post("/api/feedback/", severe).status_code == 201
    client.put(ADDRESS, {"treatment": False})
    [flag] = api(bob).get("/api/severe-side-effects/").json()["results"]

    assert api(bob).post(f"/api/severe-side-effects/{flag['id']}/look-at/").status_code == 200


def test_who_does_not_want_to_train_models_is_left_out_of_the_next_training(reported: Any) -> None:
    assert len(training_reports().outcomes) == 1

    reported.put(ADDRESS, {"training": False})

    assert len(training_reports().outcomes) == 0
    assert counted() == 1


def test_without_treatment_nothing_new_comes_in(
    api: Any, bob: User, reported: Any, report: Any, patient: Patient, diagnosis: Diagnosis, violet: Remedy
) -> None:
    reported.put(ADDRESS, {"treatment": False})
    diagnosis.refresh_from_db()
    head, clinic = diagnosis.head, api(bob)

    refused = reported.post("/api/feedback/", report | {"client_id": str(uuid4())})
    codes = [
        refused.status_code,
        reported.patch(f"/api/feedback/{Feedback.objects.get().pk}/", {"rating": 1}).status_code,
        clinic.post(f"/api/diagnoses/{diagnosis.pk}/recommendations/", {"remedy": "sweet-violet"}).status_code,
        clinic.patch(f"/api/diagnoses/{diagnosis.pk}/", {"severity": 5}).status_code,
        clinic.post("/api/diagnoses/", {"patient": patient.pk, "condition": "headache", "severity": 2}).status_code,
    ]

    assert codes == [409] * 5
    assert refused.json()["error"]["code"] == "record_closed"
    assert "You no longer consent" in refused.json()["error"]["message"]
    diagnosis.refresh_from_db()
    assert diagnosis.head == head
    assert clinic.get(f"/api/diagnoses/{diagnosis.pk}/").status_code == 200  # what is written is kept

    reported.put(ADDRESS, {"treatment": True})
    assert reported.post("/api/feedback/", report | {"client_id": str(uuid4())}).status_code == 201


@pytest.mark.parametrize(
    "wanted", [{"statistics": "maybe"}, {"training": None}, [], "x", {"treatment": [True]}], ids=repr
)
def test_an_answer_is_yes_or_no(api: Any, alice: User, patient: Patient, wanted: Any) -> None:
    assert api(alice).put(ADDRESS, wanted).status_code == 400
    assert not Consent.objects.exists()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(1, 6))])
def test_whatever_happens_the_figures_are_those_of_who_consents(
    api: Any, alice: User, bob: User, diagnosis: Diagnosis, recommendation: Recommendation, violet: Remedy, nausea: Any,
    seed: int,
) -> None:  # fmt: skip
    chance = random.Random(seed)
    other = recommend(actor=bob, diagnosis=diagnosis, remedy=violet)
    client = api(alice)
    for _ in range(25):
        standing = list(Feedback.objects.standing())
        what = chance.choice(["report", "report", "change", "withdraw", "consent"])
        if what == "report":
            said = {"recommendation": chance.choice([recommendation, other]).pk, "rating": chance.randint(1, 5)}
            effects = [{"effect": "nausea", "severity": chance.randint(1, 5)}] if chance.random() < 0.5 else []
            said |= {"symptom_improvement": 3, "client_id": str(uuid4()), "side_effects": effects}
            assert client.post("/api/feedback/", said).status_code == 201
        elif what == "consent":
            client.put(ADDRESS, {"statistics": chance.random() < 0.5})
        elif standing and what == "change":
            client.patch(f"/api/feedback/{chance.choice(standing).pk}/", {"rating": chance.randint(1, 5)})
        elif standing:
            assert client.delete(f"/api/feedback/{chance.choice(standing).pk}/").status_code == 204

    consents = Patient.objects.get(user=alice).is_counted
    assert counted() == (Feedback.objects.standing().count() if consents else 0)
    assert no_figure_differs()


@pytest.mark.django_db(transaction=True)
def test_who_reports_while_consent_changes_is_counted_as_it_says_in_the_end(
    api: Any, alice: User, reported: Any, report: Any
) -> None:
    stop, codes = threading.Event(), []

    def reports() -> None:
        try:
            while not stop.is_set():
                codes.append(reported.post("/api/feedback/", report | {"client_id": str(uuid4())}).status_code)
        finally:
            connection.close()

    thread = threading.Thread(target=reports)
    thread.start()
    try:
        answers = [api(alice).put(ADDRESS, {"statistics": bool(n % 2)}).status_code for n in range(5)]
    finally:
        stop.set()
        thread.join()

    assert set(codes) | set(answers) <= {200, 201}
    assert counted() == 0
    assert no_figure_differs()
