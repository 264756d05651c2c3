"""The first page of the administration: the clinic's summary in words and figures."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Remedy
from feedback.actions import look_at, submit
from feedback.models import SevereFlag
from realtime.models import StreamProcess


@pytest.fixture
def page(client: Client, sam: Any) -> Any:
    def get(path: str = "", language: str = "en") -> str:
        client.force_login(sam)
        answer = client.get(f"/admin/{path}", HTTP_ACCEPT_LANGUAGE=language)
        assert answer.status_code == 200
        return unescape(answer.content.decode())

    return get


@pytest.fixture
def clinic(bob: Any, headache: Condition, nausea: Any) -> Any:
    """`clinic(remedy, ratings, days_ago=…)`: one patient per rating reports on the remedy."""

    def reports(remedy: Remedy, ratings: list[int], days_ago: int = 0, **said: Any) -> None:
        for rating in ratings:
            patient = create_patient(actor=None, full_name="P", care_team=[bob])
            diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
            recommendation = recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
            at = timezone.now() - timedelta(days=days_ago)
            submit(actor=None, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=3, at=at, **said)

    return reports


def figures(shown: str) -> dict[str, str]:
    found = re.findall(r'class="label">([^<]+)</span>\s*<\w+ class="value"[^>]*>([^<]+)<', shown)
    return {label: value.strip() for label, value in found}


def test_its_figures_are_those_of_the_api(
    page: Any, api: Any, sam: Any, clinic: Any, mint: Remedy, nausea: Any
) -> None:
    clinic(mint, [5, 5, 4, 1])
    clinic(mint, [5], side_effects={nausea: 5})
    found = api(sam).get("/api/analytics/summary").json()

    shown = figures(page())

    assert shown["Effectiveness"] == f"{found['effectiveness_score']:.0%}"
    assert (shown["Reports"], shown["Patients who reported"], shown["Average rating"]) == ("5", "5", "4.0")
    assert (shown["Severe side effects to look at"], shown["Active diagnoses"]) == ("1", "5")
    assert shown["Reports with a side effect"] == "20%"


def test_it_speaks_persian_with_persian_digits(page: Any, clinic: Any, mint: Remedy) -> None:
    clinic(mint, [5] * 12)

    shown = page(language="fa")

    assert figures(shown)["گزارش‌ها"] == "۱۲"
    words = re.sub(r"<[^>]+>", " ", shown[shown.index('<section class="glance') : shown.rindex("</section>")])
    assert "نعناع" in words and not re.search(r"[A-Za-z0-9]", words)


def test_its_links_lead_to_remedies_and_to_open_flags(
    page: Any, sam: Any, clinic: Any, mint: Remedy, violet: Remedy, nausea: Any
) -> None:
    clinic(violet, [1] * 30)
    clinic(mint, [5] * 3, side_effects={nausea: 4})
    look_at(actor=sam, flag=SevereFlag.objects.first())  # type: ignore[arg-type]

    shown = page()

    assert f'<a href="/admin/diagnoses/remedy/{violet.pk}/change/">Sweet violet</a>' in shown
    of_figures = shown[shown.index('id="glance-title"') :]
    flags, diagnoses = re.findall(r'class="value" href="/admin/([^"]+)"', of_figures)
    assert re.search(r"\b2\s+severe side effects", page(flags))
    assert re.search(r"\b33\s+diagnoses", page(diagnoses))


def test_the_least_effective_and_the_moving_are_named_in_words(page: Any, clinic: Any, mint: Remedy) -> None:
    for name, rating in zip("abc", (5, 5, 4), strict=True):
        clinic(Remedy.objects.create(slug=name, name_en=name, name_fa=name, kind="herbal"), [rating] * 6)
    clinic(mint, [5] * 12, days_ago=60)
    clinic(mint, [1] * 40)

    shown = page()

    assert re.search(r"At most \d+% of the reports call it .*, even in the best case\. It is getting worse\.", shown)
    assert '<span class="note declining">getting worse</span>' in shown


@pytest.mark.parametrize(("window", "reports"), [("7", "1"), ("30", "3"), ("all", "10"), ("nonsense", "6")])
def test_staff_chooses_the_days(page: Any, clinic: Any, mint: Remedy, window: str, reports: str) -> None:
    for ratings, days_ago in (([5], 0), ([5] * 2, 20), ([5] * 3, 60), ([5] * 4, 300)):
        clinic(mint, ratings, days_ago=days_ago)

    shown = page(f"?window={window}")

    assert figures(shown)["Reports"] == reports
    assert f'href="?window={"90" if window == "nonsense" else window}" aria-current' in shown
    assert 1 <= shown.count("<g ") <= 3 * 90 + 10


def test_an_empty_clinic_has_a_first_page(page: Any) -> None:
    shown = page()

    assert (figures(shown)["Reports"], figures(shown)["Average rating"]) == ("0", "–")
    assert shown.count("Nothing yet") == 3 and "<figure" not in shown


def test_charts_say_in_words_what_they_show(page: Any, clinic: Any, mint: Remedy, violet: Remedy, nausea: Any) -> None:
    clinic(mint, [5, 5, 5, 5, 3])
    clinic(violet, [1, 1, 1], days_ago=3)
    clinic(violet, [1, 1], days_ago=3, side_effects={nausea: 2})

    shown = page()

    said = re.findall(r"<strong>([^<]+)</strong> <span class=\"note\">([^<]+)<", shown)
    assert said == [
        ("Reports by day", "The successes in full colour"),
        ("Average rating", "Between 1.0 and 4.6 of 5"),
        ("Side effects", "In at most 40% of the reports; severe ones in full colour"),
        ("Effectiveness of the remedies", "2 remedies, from 0 to 100 percent"),
    ]


def test_severe_side_effects_wait_for_somebody(page: Any, sam: Any, clinic: Any, mint: Remedy, nausea: Any) -> None:
    clinic(mint, [2], side_effects={nausea: 4})
    flag = SevereFlag.objects.get()

    shown = page()
    assert f'<a href="/admin/feedback/feedback/{flag.feedback_id}/change/">Mint</a>' in shown
    assert "Nausea 4/5" in shown and "waiting urgent" in shown
    look_at(actor=sam, flag=flag)
    assert "waiting urgent" not in page()


def test_the_first_page_tells_of_refused_sign_ins_sockets_and_drift(page: Any, api: Any, alice: Any) -> None:
    for _ in range(2):
        api().post("/api/auth/token", {"email": alice.email, "password": "wrong-and-wrong"})
    for _ in range(2):
        now = timezone.now()
        StreamProcess.objects.create(
            id=uuid4(), name="p", started_at=now, seen_at=now, connections=3, diagnoses=1, users=2, hears_hints=True
        )

    shown = figures(page())

    assert (shown["Failed sign-ins in 24 hours"], shown["Live connections"]) == ("2", "6")
    assert shown["Predictions off by, last 7 days"] == "–"
