"""Everything the clinic holds about one person, as a file."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from accounts.actions import set_consents
from accounts.models import User
from avicenna.data_keys import data_keys
from diagnoses.actions import contraindicate, recommend
from diagnoses.models import Consent, Contraindication, Diagnosis, Patient, Remedy
from feedback.actions import submit, withdraw


@pytest.fixture
def record(
    alice: User, bob: User, patient: Patient, diagnosis: Diagnosis, recommendation: Any, violet: Remedy, nausea: Any
) -> Any:
    """One of everything, and of what has two shapes both."""
    patient.medical_history, patient.birth_date = "a planted history", None
    patient.save()
    bath = Remedy.objects.create(slug="bath", name_en="Bath", name_fa="حمام", kind="lifestyle")
    recommend(actor=bob, diagnosis=diagnosis, remedy=bath, dosage="once", frequency="a day", duration_days=5)
    for remedy, cause in ((violet, Contraindication.Cause.ALLERGY), (bath, Contraindication.Cause.OTHER)):
        contraindicate(actor=bob, patient=patient, remedy=remedy, cause=cause, reason="a planted reason")
    said = {"rating": 4, "symptom_improvement": 5, "comment": "a planted comment", "side_effects": {nausea: 4}}
    submit(actor=alice, recommendation_id=recommendation.pk, client_id=uuid4(), **said)
    taken_back, _ = submit(actor=alice, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1)
    withdraw(actor=alice, feedback=taken_back)
    set_consents(actor=alice, consents={Consent.Purpose.TRAINING: False}, language="en")
    return patient


def exported(client: Any, chosen: str = "json") -> Any:
    answer = client.get(f"/api/me/export?format={chosen}")
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    return json.loads(answer.getvalue())


def test_it_is_everything_and_in_clear_text(api: Any, alice: User, record: Any) -> None:
    data_keys.forget()
    found = exported(api(alice))

    assert found["patient"]["medical_history"] == "a planted history"
    assert [len(found[name]) for name in (
        "diagnoses", "recommendations", "contraindications", "feedback", "consents", "sessions",
    )] == [1, 2, 2, 2, 1, 1]  # fmt: skip
    assert found["feedback"][0]["comment"] == "a planted comment"
    assert found["contraindications"][0]["reason"] == "a planted reason"


def test_it_is_about_nobody_else(api: Any, dora: User, bob: User, record: Any) -> None:
    for user in (dora, bob):
        for chosen in ("json", "fhir"):
            found = json.dumps(exported(api(user), chosen))
            assert "planted" not in found
            assert "Alice" not in found


def test_fhir_is_a_bundle_whose_references_all_lead_somewhere(api: Any, alice: User, record: Any) -> None:
    bundle = exported(api(alice), "fhir")

    there = {entry["fullUrl"] for entry in bundle["entry"]}
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert kinds == {
        "Patient", "Practitioner", "Condition", "MedicationRequest", "ServiceRequest", "AllergyIntolerance",
        "DetectedIssue", "Observation", "AdverseEvent", "Consent", "Provenance",
    }  # fmt: skip
    assert len(there) == len(bundle["entry"])
    assert set(_references(bundle)) <= there
    for text in ("history", "reason", "comment"):
        assert f"a planted {text}" in json.dumps(bundle)


def test_fhir_is_valid(api: Any, alice: User, bob: User, record: Any) -> None:
    bundles = pytest.importorskip("fhir.resources.R4B.bundle")

    for user in (alice, bob):
        bundle = bundles.Bundle.model_validate(exported(api(user), "fhir"))
        assert bundle.type == "collection"


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for one in value for found in _references(one)]
    if not isinstance(value, dict):
        return []
    own = [value["reference"]] if "reference" in value else []
    return own + [found for one in value.values() for found in _references(one)]


@pytest.mark.parametrize("chosen", ["xml", "JSON"])
def test_another_format_is_refused(api: Any, alice: User, chosen: str) -> None:
    answer = api(alice).get(f"/api/me/export?format={chosen}")

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["format"])


def test_it_costs_the_same_number_of_queries_for_many_reports(
    api: Any, alice: User, record: Any, recommendation: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        submit(actor=alice, recommendation_id=recommendation.pk, rating=3, symptom_improvement=3, comment="one more")
    client = api(alice)
    data_keys.forget()

    with django_assert_max_num_queries(20):
        assert len(exported(client, "fhir")["entry"]) > 30
