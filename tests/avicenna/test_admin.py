from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from audit.models import AuditRecord
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.admin import RemedyAdmin
from diagnoses.models import Diagnosis, Patient, Remedy
from feedback.actions import submit
from feedback.models import Feedback
from realtime.models import Receipt

LISTS = sorted(f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry)

INLINE = re.compile(r"<style|<script(?![^>]*\bsrc=)[^>]*>|\sstyle=|\son\w+=")


@pytest.fixture
def page(client: Client) -> Any:
    """`page(user, path)`: what the admin answers to a signed-in user."""

    def get(user: Any, path: str, data: dict[str, Any] | None = None, **headers: str) -> Any:
        client.force_login(user)
        address = f"/admin/{path}"
        return client.post(address, data) if data is not None else client.get(address, **headers)

    return get


@pytest.mark.parametrize("path", ["", *(f"{path}/" for path in LISTS)])
def test_only_staff_opens_the_admin(
    page: Any, sam: Any, bob: Any, alice: Any, report: Any, api: Any, path: str
) -> None:
    api(alice).post("/api/feedback/", report)

    shown = page(sam, path)
    assert shown.status_code == 200
    assert INLINE.findall(shown.content.decode()) == []  # the policy would refuse it
    assert [page(user, path).status_code for user in (bob, alice)] == [302, 302]


def test_staff_sees_where_a_degree_comes_from(page: Any, sam: Any, mint: Remedy) -> None:
    Remedy.objects.update(source="Canon, book 2, p. 577", confidence="high", note="with excess moisture")

    shown = page(sam, f"diagnoses/remedy/{mint.pk}/change/").content.decode()

    assert all(text in shown for text in ("Canon, book 2, p. 577", "a degree is stated", "with excess moisture"))
    assert "reviews the catalogue before" in page(sam, "diagnoses/remedy/").content.decode()


@pytest.mark.parametrize(("language", "name"), [("en", "Mint"), ("fa", "نعناع")])
def test_staff_sees_how_effective_a_remedy_is(page: Any, sam: Any, mint: Remedy, language: str, name: str) -> None:
    shown = page(sam, f"diagnoses/remedy/{mint.pk}/change/", HTTP_ACCEPT_LANGUAGE=language).content.decode()

    pictures = re.findall(r'<img class="picture (\w+)" src="([^"]+)" alt="([^"]+)"', shown)
    assert [theme for theme, _, _ in pictures] == ["light", "dark"]
    with translation.override(language):
        assert str(RemedyAdmin.caution) in unescape(shown)
    for theme, address, alt in pictures:
        assert unescape(address) == f"/api/analytics/remedies/mint/chart.svg?lang={language}&theme={theme}"
        assert name in alt
    assert "avicenna/admin.css" in shown
    assert "chart.svg" not in page(sam, "diagnoses/remedy/add/").content.decode()


@pytest.mark.parametrize(
    ("language", "born", "created"),
    [("fa", "۲۹ اسفند ۱۳۷۵", "۱ فروردین ۱۴۰۵، ۰۰:۱۵"), ("en", "March 19, 1997", "March 21, 2026, 12:15 a.m.")],
)
def test_dates_are_those_of_the_readers_calendar(page: Any, sam: Any, language: str, born: str, created: str) -> None:
    """1375 was a leap year; in Tehran a year begins while it is still yesterday in UTC."""
    patient = create_patient(actor=None, full_name="Nouruz", birth_date=date(1997, 3, 19))
    Patient.objects.update(created_at=datetime(2026, 3, 20, 20, 45, tzinfo=UTC))

    for path in ("diagnoses/patient/", f"diagnoses/patient/{patient.pk}/change/"):
        shown = unescape(page(sam, path, HTTP_ACCEPT_LANGUAGE=language).content.decode())
        assert born in shown
        assert created in shown


def test_a_remedy_is_retired_through_the_action(page: Any, sam: Any, mint: Remedy) -> None:
    form = {"name_en": "Mint", "name_fa": "نعناع", "kind": "herbal", "warmth": 2, "moisture": -2, "confidence": "high"}

    assert page(sam, f"diagnoses/remedy/{mint.pk}/change/", form).status_code == 302
    mint.refresh_from_db()
    assert (mint.is_active, mint.confidence) == (False, "high")


def test_staff_decides_who_is_on_the_care_team(page: Any, sam: Any, patient: Any, charlie: Any) -> None:
    form = {"care_team": [charlie.pk], "contraindications-TOTAL_FORMS": 0, "contraindications-INITIAL_FORMS": 0}

    assert page(sam, f"diagnoses/patient/{patient.pk}/change/", form).status_code == 302

    assert list(patient.care_team.all()) == [charlie]


def test_comments_and_clinical_texts_stay_out_of_the_admin(page: Any, sam: Any, recommendation: Any) -> None:
    feedback, _ = submit(
        actor=None, recommendation_id=recommendation.pk, rating=4, symptom_improvement=4, comment="a secret comment"
    )
    diagnosis, patient = recommendation.diagnosis, recommendation.diagnosis.patient
    diagnosis.notes, patient.medical_history = "a secret note", "a secret history"
    diagnosis.save(), patient.save()

    for path in (
        f"feedback/feedback/{feedback.pk}",
        f"diagnoses/diagnosis/{diagnosis.pk}",
        f"diagnoses/patient/{patient.pk}",
    ):
        answer = page(sam, f"{path}/change/")
        assert answer.status_code == 200
        assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("path", [
    "diagnoses/diagnosis/", "feedback/feedback/", "feedback/severeflag/", "diagnoses/patient/", "accounts/session/",
    "realtime/diagnosisevent/", "realtime/receipt/",
])  # fmt: skip
def test_a_page_asks_the_same_number_of_queries_for_many_rows(
    page: Any, sam: Any, bob: Any, headache: Any, mint: Any, nausea: Any, recommendation: Any, path: str
) -> None:
    def queries() -> int:
        page(sam, path)  # the first visit also signs in, and tells the audit trail who is in the list
        with CaptureQueriesContext(connection) as asked:
            assert page(sam, path).status_code == 200
        return len(asked)

    def more(given: Any) -> None:
        submit(actor=None, recommendation_id=given.pk, rating=1, symptom_improvement=4, side_effects={nausea: 5})
        session = bob.sessions.create()
        Receipt.objects.create(session=session, diagnosis=given.diagnosis, seen_seq=1, seen_at=session.created_at)

    more(recommendation)
    few = queries()
    for _ in range(4):
        patient = create_patient(actor=None, full_name="P", care_team=[bob])
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        more(recommend(actor=bob, diagnosis=diagnosis, remedy=mint))

    assert queries() == few


def test_a_new_user_signs_in_with_a_hashed_password(page: Any, sam: Any, api: Any) -> None:
    form = {"email": "New@Clinic.example", "name": "New", "role": "practitioner"}
    form |= {"password1": "tulips-and-roses", "password2": "tulips-and-roses"}

    assert page(sam, "accounts/user/add/", form).status_code == 302
    answer = api().post("/api/auth/token", {"email": "new@clinic.example", "password": "tulips-and-roses"})
    assert answer.status_code == 200


def test_a_deactivated_user_is_out_at_once(page: Any, sam: Any, bob: Any, api: Any) -> None:
    signed_in = api(bob)
    assert signed_in.get("/api/me").status_code == 200

    page(sam, f"accounts/user/{bob.pk}/change/", {"name": "Dr Bob", "role": "practitioner", "language": "fa"})

    assert signed_in.get("/api/me").status_code == 401


def found(page: Any, sam: Any, path: str) -> int:
    answer = page(sam, path)
    assert answer.status_code == 200, path
    return int(answer.context_data["cl"].result_count)


@pytest.fixture
def severe(alice: Any, recommendation: Any, nausea: Any) -> Any:
    """A report of today on mint, for the headache of Alice; it is bad."""
    made, _ = submit(
        actor=alice, recommendation_id=recommendation.pk, rating=1, symptom_improvement=1, side_effects={nausea: 5}
    )
    return made


def test_lists_are_searched_by_ids_accounts_and_words(page: Any, sam: Any, severe: Any) -> None:
    patient, diagnosis = severe.patient_id, severe.diagnosis_id
    finds = {
        "diagnoses/patient": [patient, "alice@clinic.example"],
        "diagnoses/diagnosis": [patient, diagnosis, "Alice@clinic.example", "head", "سردرد"],
        "feedback/feedback": [severe.pk, patient, diagnosis, severe.recommendation_id, "alice@clinic.example", "نعناع"],
        "feedback/severeflag": [severe.pk, patient, "mint"],
        "realtime/diagnosisevent": [diagnosis],
    }

    for path, terms in finds.items():
        assert [found(page, sam, f"{path}/?q={term}") > 0 for term in terms] == [True] * len(terms), path
        for nothing in ("nobody@clinic.example", uuid4(), "Alice Owner", "'"):
            assert found(page, sam, f"{path}/?q={nothing}") == 0, (path, nothing)


@pytest.mark.parametrize(("path", "query", "other"), [
    ("diagnoses/patient", "mizaj_type__exact=warm_dry", "mizaj_type__exact=cold"),
    ("diagnoses/diagnosis", "status__exact=active", "status__exact=resolved"),
    ("diagnoses/diagnosis", "severity__exact=3", "severity__exact=5"),
    ("diagnoses/diagnosis", "patient__mizaj_type__exact=warm_dry", "patient__mizaj_type__exact=wet"),
    ("feedback/feedback", "rating__exact=1", "rating__exact=5"),
    ("feedback/feedback", "harm=severe", "harm=none"),
    ("feedback/feedback", "harm=any", "withdrawn_at__isempty=0"),
    ("feedback/severeflag", "looked_at__isempty=1", "looked_at__isempty=0"),
])  # fmt: skip
def test_lists_are_filtered(page: Any, sam: Any, severe: Any, path: str, query: str, other: str) -> None:
    assert (found(page, sam, f"{path}/?{query}"), found(page, sam, f"{path}/?{other}")) == (1, 0)


def test_a_period_is_some_days_up_to_today(page: Any, sam: Any, severe: Any) -> None:
    links = re.findall(r'href="(\?created_at__gte=[^"]+)"', page(sam, "feedback/feedback/").content.decode())
    assert len(links) == 4

    Feedback.objects.update(created_at=timezone.now() - timedelta(days=40))

    assert [found(page, sam, f"feedback/feedback/{unescape(link)}") for link in links] == [0, 0, 1, 1]


def test_what_a_filter_cannot_read_leads_back_to_the_list(page: Any, sam: Any, severe: Any) -> None:
    for query in ("rating__exact=x", "created_at__gte=never", "p=x", "o=9.9"):
        assert page(sam, f"feedback/feedback/?{query}").status_code in (200, 302), query


@pytest.mark.parametrize("path", ["diagnoses/patient", "diagnoses/diagnosis", "feedback/feedback"])
def test_a_list_counts_and_reads_no_more_than_it_needs(
    page: Any, sam: Any, bob: Any, headache: Any, mint: Any, severe: Any, path: str, monkeypatch: Any
) -> None:
    monkeypatch.setattr("avicenna.admin.NewestFirst.list_per_page", 1)
    submit(actor=None, recommendation_id=severe.recommendation_id, rating=4, symptom_improvement=4)
    patient = create_patient(actor=None, full_name="P", care_team=[bob])
    record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)

    with CaptureQueriesContext(connection) as asked:
        page(sam, f"{path}/")

    table = path.replace("/", "_")
    of_table = [query["sql"] for query in asked if f'FROM "{table}"' in query["sql"] and "audit" not in query["sql"]]
    assert of_table and all("LIMIT" in sql for sql in of_table)


def test_flags_are_looked_at_many_at_once(page: Any, sam: Any, severe: Any) -> None:
    flag = severe.flag
    page(sam, "feedback/severeflag/", {"action": "mark_as_looked_at", "_selected_action": [flag.pk]})

    flag.refresh_from_db()
    assert flag.looked_at_by == sam


def test_what_an_action_refuses_is_told_and_holds_up_nothing(
    page: Any, client: Client, sam: Any, severe: Any, alice: Any, recommendation: Any
) -> None:
    Diagnosis.objects.update(status=Diagnosis.Status.ENTERED_IN_ERROR)

    page(sam, "feedback/severeflag/", {"action": "mark_as_looked_at", "_selected_action": [severe.flag.pk]})

    assert "entered in error" in unescape(client.get("/admin/feedback/severeflag/").content.decode())


def test_staff_ends_the_session_of_a_lost_phone(page: Any, sam: Any, bob: Any, api: Any) -> None:
    signed_in = api(bob)
    session = bob.sessions.get()
    assert signed_in.get("/api/me").status_code == 200

    page(sam, "accounts/session/", {"action": "end", "_selected_action": [session.pk]})

    assert signed_in.get("/api/me").status_code == 401
    told = AuditRecord.objects.get(action="signed_out")
    assert (told.actor, told.object_id) == (sam, str(session.pk))


def test_the_menu_is_searched_by_name(page: Any, sam: Any) -> None:
    shown = page(sam, "search/?s=remed&extended=1")

    assert "/admin/diagnoses/remedy/" in shown.content.decode()
    assert [page(sam, f"search/?s=remed&page={number}").status_code for number in ("1", "2", "x", "")] == [200] + [
        404
    ] * 3
