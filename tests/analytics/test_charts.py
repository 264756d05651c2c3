"""The picture of a remedy: what it shows, in which words, and about whom it says nothing."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Literal

import pytest
from django.utils import timezone

from analytics import charts, series
from analytics.effectiveness import Estimate
from analytics.rollups import Sums
from analytics.subjects import EVERYTHING, Subject
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Patient, Remedy
from feedback.actions import submit, withdraw

CHART = "/api/analytics/remedies/mint/chart.svg"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def tell(bob: Any, headache: Condition, mint: Remedy) -> Any:
    """`tell(ratings, days_ago=…, mizaj=…)`: one new patient per rating reports on mint; answers the patients."""

    def reports(ratings: list[int], days_ago: int = 0, mizaj: str = "warm") -> list[Patient]:
        patients = [create_patient(actor=None, full_name="P", mizaj_type=mizaj, care_team=[bob]) for _ in ratings]
        for patient, rating in zip(patients, ratings, strict=True):
            again(patient, rating, days_ago)
        return patients

    def again(patient: Patient, rating: int, days_ago: int) -> Any:
        diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
        recommendation = recommend(actor=bob, diagnosis=diagnosis, remedy=mint)
        at = timezone.now() - timedelta(days=days_ago)
        return submit(
            actor=None, recommendation_id=recommendation.pk, rating=rating, symptom_improvement=rating, at=at
        )[0]

    reports.again = again  # type: ignore[attr-defined]
    return reports


def picture(answer: Any) -> ET.Element:
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml"), answer.content
    return ET.fromstring(answer.content)  # noqa: S314  # ours


def words(answer: Any) -> list[str]:
    return (picture(answer).findtext(f"{SVG}desc") or "").split("\n")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("lang", "name", "whole"), [("en", "Mint", ["59", "31", "84", "10"]),
                                                     ("fa", "نعناع", ["۵۹", "۳۱", "۸۴", "۱۰"])])  # fmt: skip
def test_it_is_drawn_and_told_in_both_languages(
    api: Any, tell: Any, lang: str, name: str, whole: list[str], theme: Literal["light", "dark"]
) -> None:
    tell([5] * 5, mizaj="warm")
    tell([1] * 4 + [5], mizaj="cold")

    answer = api().get(f"{CHART}?lang={lang}&theme={theme}")

    root = picture(answer)
    assert (root.get("role"), root.get("lang"), root.get("aria-labelledby")) == ("img", lang, "title desc")
    assert name in (root.findtext(f"{SVG}title") or "")
    assert re.findall(r"\d+", words(answer)[0]) == whole
    assert bool(re.search("[A-Za-z0-9]", "".join(words(answer)))) == (lang == "en")
    assert charts.PALETTES[theme].ground in answer.content.decode()
    assert b"Vazirmatn-Bold" in answer.content  # the letters of the dashboard
    assert b"DejaVu" not in answer.content
    assert answer["Content-Language"] == lang


def test_its_words_are_the_numbers_of_the_report(api: Any, tell: Any) -> None:
    tell([5] * 5, mizaj="warm")
    tell([1] * 4 + [5], mizaj="cold")
    report = api().get("/api/analytics/remedies/mint").json()

    said = words(api().get(f"{CHART}?lang=en"))

    for part in report["by_mizaj"]:
        found = part["effectiveness"]
        score, low, high = (round(100 * share) for share in (found["effectiveness_score"], *found["interval"]))
        sentence = f"{score}% effective ({low}% to {high}%), {found['sample_size']} reports"
        assert f"{part['mizaj_name'].capitalize()}: {sentence}" in said
    assert len(report["by_mizaj"]) == 2


def test_four_patients_are_not_drawn(api: Any, tell: Any) -> None:
    patients = tell([5, 5, 5, 5])
    tell.again(patients[0], 5, 40)

    assert words(api().get(f"{CHART}?lang=en")) == [
        "Mint",
        "There are not enough reports yet.",
        "They are shown once five patients or more have reported.",
    ]


def test_a_remedy_nobody_reported_on_has_a_picture_too(api: Any, mint: Remedy) -> None:
    assert "There are not enough reports yet." in words(api().get(f"{CHART}?lang=en"))
    assert api().get("/api/analytics/remedies/none/chart.svg").status_code == 404


def months(answer: Any) -> list[str]:
    return [line.split(":")[0] for line in words(answer) if "days" in line]


def test_months_are_drawn_where_each_has_patients_of_its_own(api: Any, tell: Any) -> None:
    for days_ago in (0, 29, 89):
        tell([5, 1, 5], days_ago=days_ago)
        tell([5, 1], days_ago=days_ago)

    said = words(api().get(f"{CHART}?lang=en"))

    assert [line.split(":")[0] for line in said[-3:]] == ["61 to 90 days ago", "31 to 60 days ago", "Last 30 days"]
    assert said[-3].endswith(", 5 reports") and said[-1].endswith(", 10 reports")
    assert said[-2] == "31 to 60 days ago: no reports"


def test_one_month_with_too_few_patients_hides_all(api: Any, tell: Any) -> None:
    tell([5] * 9)
    tell([5] * 4, days_ago=45)

    answer = api().get(f"{CHART}?lang=en")

    assert words(answer)[-1] == "Over time: There are not enough reports yet to show this."
    assert months(answer) == []
    tell([5], days_ago=30)
    assert months(api().get(f"{CHART}?lang=en"))


def test_who_comes_back_counts_in_each_month(tell: Any, mint: Remedy) -> None:
    for patient in tell([5] * 5):
        tell.again(patient, 5, 45)

    oldest, before, recent = series.stretches(mint)

    assert oldest.estimate is None
    assert before.estimate and recent.estimate


def test_one_who_comes_back_often_is_one(tell: Any, mint: Remedy) -> None:
    patients = tell([5] * 5)
    for _ in range(8):
        tell.again(patients[0], 5, 45)

    assert series.stretches(mint) == []


def test_each_month_is_estimated_below_the_remedy(tell: Any, mint: Remedy) -> None:
    tell([5] * 5, days_ago=40)
    tell([1] * 5)

    oldest, before, recent = series.stretches(mint)

    assert oldest.estimate is None
    assert isinstance(before.estimate, Estimate) and isinstance(recent.estimate, Estimate)
    assert (before.estimate.success_rate, recent.estimate.success_rate) == (1, 0)
    assert 1 > before.estimate.score > 0.5 > recent.estimate.score > 0
    assert (recent.last, recent.first) == (timezone.localdate(), timezone.localdate() - timedelta(days=29))
    assert before.last == recent.first - timedelta(days=1) and oldest.last == before.first - timedelta(days=1)


def test_days_are_summed_oldest_first_in_one_query(tell: Any, mint: Remedy, django_assert_num_queries: Any) -> None:
    tell([4, 1], days_ago=3)
    tell([5], days_ago=0)
    tell([5], days_ago=90)
    withdraw(actor=None, feedback=tell.again(tell([5], days_ago=3)[0], 5, 7))
    today = timezone.localdate()

    with django_assert_num_queries(1):
        days = series.daily([Subject.remedy(mint.pk)])

    assert [(day, sums.n, sums.successes) for day, sums in days] == [(today - timedelta(days=3), 3, 2), (today, 1, 1)]
    assert days[1][1] == Sums(n=1, successes=1, rating_sum=5, improvement_sum=5)
    assert series.daily([]) == []
    assert series.daily([EVERYTHING], days=1) == days[1:]


@pytest.mark.parametrize("asked", ["theme=pink", "lang=de"])
def test_an_unknown_theme_or_language_is_refused(api: Any, mint: Remedy, asked: str) -> None:
    answer = api(accept="image/svg+xml").get(f"{CHART}?{asked}")

    assert answer.status_code == 400
    assert list(json.loads(answer.content)["error"]["fields"]) == [asked.split("=")[0]]


def test_the_language_is_the_callers_unless_it_is_asked_for(api: Any, mint: Remedy) -> None:
    answer = api(accept_language="fa").get(CHART)

    assert picture(answer).get("lang") == "fa" and "Accept-Language" in answer["Vary"]
    assert picture(api(accept_language="fa").get(f"{CHART}?lang=en")).get("lang") == "en"


def test_a_picture_that_did_not_change_is_not_sent_again(api: Any, tell: Any) -> None:
    tell([5] * 5)
    first = api(accept="image/svg+xml").get(CHART)
    charts._drawn.cache_clear()

    assert first["Cache-Control"] == "public, max-age=300"
    same = api(if_none_match=first["ETag"]).get(CHART)
    assert (same.status_code, same.content, same["Cache-Control"]) == (304, b"", first["Cache-Control"])
    tell([1])
    assert api(if_none_match=first["ETag"]).get(CHART).status_code == 200


def test_it_loads_and_runs_nothing(api: Any, mint: Remedy) -> None:
    answer = api().get(CHART)

    assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
    tags = {element.tag.removeprefix(SVG) for element in picture(answer).iter()}
    assert "script" not in tags and not {tag for tag in tags if "image" in tag.lower() or "foreign" in tag.lower()}
    assert b"DOCTYPE" not in answer.content and answer.content.count(b"http") == 2  # the two namespaces


@pytest.mark.parametrize(
    "name", ["Salt & <b>pepper</b> $x^2$ --> ", "زعفران و hot_$water", "a\x0b\ud83c", "W" * 200, ""]
)
def test_any_name_can_be_drawn(api: Any, mint: Remedy, name: str) -> None:
    mint.name_en = name.encode("utf-8", "ignore").decode()
    mint.save(update_fields=["name_en"])

    assert picture(api().get(f"{CHART}?lang=en")).findtext(f"{SVG}title")


def test_threads_draw_the_same_at_once(tell: Any, mint: Remedy) -> None:
    rows = tuple(charts.Row(label, Estimate(0.5, (0.3, 0.7), 9, 0.5)) for label in ("All", "گرم"))
    pictures = [charts.Picture(f"{i % 3}", rows, rows) for i in range(12)]

    def draw(picture: charts.Picture) -> bytes:
        return charts._drawn.__wrapped__(picture, "fa", "dark")

    with ThreadPoolExecutor(6) as threads:
        drawn = list(threads.map(draw, pictures))

    assert drawn == [draw(picture) for picture in pictures] and len(set(drawn)) == 3
