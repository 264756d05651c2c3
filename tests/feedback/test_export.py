"""Reports as rows that name nobody: what each says hangs on how many say the same."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditRecord
from diagnoses.actions import create_patient, recommend, record_diagnosis
from diagnoses.models import Condition, Patient, Remedy
from feedback.actions import submit, withdraw
from feedback.export import Span

Report = Callable[..., list[Any]]
# In the middle of the week after the last that is told; two whole months and no quarter lie in 13 weeks before it.
NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.get_current_timezone())
WEEK = timedelta(weeks=1)


@pytest.fixture(autouse=True)
def now(monkeypatch: Any) -> None:
    monkeypatch.setattr("feedback.export.timezone.localdate", lambda at=None: timezone.localtime(at or NOW).date())


@pytest.fixture
def report(bob: Any, headache: Condition) -> Report:
    """`report(remedy, count, mizaj, at)`: so many patients, each with one report."""

    def reports(remedy: Remedy, count: int, mizaj: str = "warm", at: datetime = NOW - WEEK, **said: Any) -> list[Any]:
        made = []
        for _ in range(count):
            patient = create_patient(actor=None, full_name="Secret Name", care_team=[bob], mizaj_type=mizaj)
            diagnosis = record_diagnosis(actor=bob, patient=patient, condition=headache, severity=2)
            given = recommend(actor=bob, diagnosis=diagnosis, remedy=remedy)
            values = {"rating": 4, "symptom_improvement": 3, "comment": "a secret comment"} | said
            made.append(submit(actor=None, recommendation_id=given.pk, at=at, **values)[0])
        return made

    return reports


@pytest.fixture
def export(client: Client, sam: Any) -> Iterator[Callable[..., list[dict[str, str]]]]:
    def rows(weeks: int = 13) -> list[dict[str, str]]:
        client.force_login(sam)
        answer = client.post("/admin/feedback/feedback/export/", {"weeks": weeks})
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
        assert "ecret" not in text
        return list(csv.DictReader(StringIO(text)))

    yield rows


def said(rows: list[dict[str, str]]) -> Counter[tuple[str, ...]]:
    return Counter((row["period"], row["remedy"], row["condition"], row["mizaj"]) for row in rows)


def test_what_five_share_is_told_by_the_week(report: Report, export: Any, mint: Remedy, nausea: Any) -> None:
    report(mint, 4)
    report(mint, 1, side_effects={nausea: 2}, compliance=5)

    rows = export()

    assert said(rows) == {("2026-W47", "mint", "headache", "warm"): 5}
    assert {row["side_effects"] for row in rows} == {"", "nausea:2"}
    assert list(rows[0]) == [
        "period", "remedy", "condition", "mizaj", "rating", "symptom_improvement", "compliance", "side_effects",
    ]  # fmt: skip


def test_what_fewer_share_is_told_more_coarsely_or_not_at_all(report: Report, export: Any, mint: Remedy) -> None:
    october = datetime(2026, 10, 14, 12, tzinfo=NOW.tzinfo)
    report(mint, 5, "warm", october)
    report(mint, 3, "cold", october)
    report(mint, 2, "wet", october - WEEK)
    report(mint, 4, "dry")  # November is not over

    assert said(export()) == {("2026-W42", "mint", "headache", "warm"): 5, ("2026-10", "mint", "headache", ""): 5}


def test_one_person_is_no_crowd_however_much_they_report(report: Report, export: Any, mint: Remedy) -> None:
    [first] = report(mint, 1)
    for _ in range(9):
        submit(actor=None, recommendation_id=first.recommendation_id, rating=1, symptom_improvement=1, at=NOW - WEEK)

    assert export() == []


def test_two_exports_tell_nothing_by_their_difference(report: Report, export: Any, mint: Remedy) -> None:
    """A longer one has the rows of the shorter, and more only in cells of five."""
    for week in range(1, 14):
        report(mint, 1 + week % 6, "warm", NOW - week * WEEK)
    short, long = said(export(4)), said(export(13))

    assert short <= long
    assert all(count >= 5 for count in (long - short).values()) and long - short


def test_a_month_that_the_export_cuts_is_not_told(report: Report, export: Any, mint: Remedy) -> None:
    """The longer one has all of October, the shorter its last days: it would tell who of the five came in these."""
    for mizaj in ("warm", "cold", "wet", "dry", "balanced"):
        report(mint, 1, mizaj, datetime(2026, 10, 28, 12, tzinfo=NOW.tzinfo))

    assert export(4) == []
    assert said(export(13)) == {("2026-10", "mint", "headache", ""): 5}


def test_this_week_is_not_told_yet(report: Report, export: Any, mint: Remedy) -> None:
    report(mint, 5, "warm", NOW - timedelta(hours=1))

    assert export() == []


def test_only_what_counts_in_the_figures_is_told(report: Report, export: Any, mint: Remedy, sam: Any) -> None:
    made = report(mint, 6)
    withdraw(actor=None, feedback=made[0])
    Patient.objects.filter(pk=made[1].patient_id).update(is_counted=False)
    type(made[1]).objects.filter(pk=made[1].pk).update(is_counted=False)

    assert export() == []  # four are left


def test_the_trail_tells_who_took_it(report: Report, export: Any, sam: Any) -> None:
    export(4)

    record = AuditRecord.objects.filter(actor=sam).latest("id")
    assert (record.action, record.kind, record.patient) == ("exported", "feedback", None)
    assert record.reason == "4 weeks, without names"


def test_the_page_says_what_it_does_and_takes_no_other_span(client: Client, sam: Any, bob: Any) -> None:
    client.force_login(sam)
    assert "at least 5 patients" in client.get("/admin/feedback/feedback/export/").content.decode()
    assert "feedback.csv" not in str(client.post("/admin/feedback/feedback/export/", {"weeks": "1"}).headers)
    client.force_login(bob)
    assert client.post("/admin/feedback/feedback/export/", {"weeks": "4"}).status_code == 302


@pytest.mark.parametrize("today", ["2026-11-23", "2026-11-29", "2027-01-01", "2024-02-29"])
def test_a_span_is_of_whole_weeks(today: str) -> None:
    day = datetime.fromisoformat(today).date()
    span = Span.before(day, 4)

    assert (span.start.weekday(), span.end.weekday(), (span.end - span.start).days) == (0, 0, 28)
    assert span.end <= day < span.end + WEEK
